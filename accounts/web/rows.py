"""The shape of the results of an import, row by row."""

from typing import Any

from rest_framework import serializers

from accounts.web.serializers import OutputSerializer


class FieldSaidOut(OutputSerializer):
    """What is wrong with one field of a row."""

    field = serializers.CharField()
    detail = serializers.CharField()


class RowResultOut(OutputSerializer):
    """What became of one row, counted from 1; row 0 is the file itself."""

    row = serializers.IntegerField()
    result = serializers.CharField()
    id = serializers.CharField()
    problems = FieldSaidOut(many=True)


class RowResultsOut(OutputSerializer):
    """A result for every row, in the order of the rows."""

    rows = RowResultOut(many=True)


def one_of(given: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a body that says its rows in one of several ways; raises ValidationError when it is none or two."""
    if sum(name in given for name in names) != 1:
        said = f"{sum(name in given for name in names)} of them were given; expected one of {', '.join(names)}."
        raise serializers.ValidationError({names[-1]: [said]})
    return given

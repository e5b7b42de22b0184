"""The shape of the results of an import, row by row."""

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

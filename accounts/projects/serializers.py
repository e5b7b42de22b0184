"""Projects as the API shows and takes them."""

from rest_framework import serializers

from accounts.foundation import fields
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId


class ProjectOut(OutputSerializer):
    """A project."""

    id = SpelledId("prj")
    code = serializers.CharField()
    name = serializers.CharField()
    created_at = serializers.DateTimeField()
    archived_at = serializers.DateTimeField(allow_null=True)


class NewProject(InputSerializer):
    """A project to be made."""

    code = fields.StrictText(max_length=40)
    name = fields.StrictText(max_length=120)

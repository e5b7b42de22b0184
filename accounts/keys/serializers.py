"""API keys as the API shows and takes them."""

from rest_framework import serializers

from accounts.foundation import fields
from accounts.keys.models import ApiKey
from accounts.keys.rules import PREFIX, Scope
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId


class KeyOut(OutputSerializer):
    """A key without its secret."""

    id = SpelledId("key")
    name = serializers.CharField()
    prefix = serializers.SerializerMethodField()
    scopes = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)

    def get_prefix(self, key: ApiKey) -> str:
        """Return the part of the key that may be shown."""
        return f"{PREFIX}_{key.public_id}"


class IssuedKeyOut(OutputSerializer):
    """A new key, once with its secret."""

    key = KeyOut()
    secret = serializers.CharField(source="secret_text")


class NewKey(InputSerializer):
    """A key to be issued."""

    name = fields.StrictText(max_length=80)
    scopes = serializers.ListField(child=fields.StrictChoice(options=Scope), min_length=1, max_length=len(Scope))
    expires_at = fields.StrictDateTime()

"""Organisations and members as the API shows them."""

from rest_framework import serializers

from accounts.actors.actor import Actor
from accounts.foundation import fields
from accounts.organisations.rules import Role
from accounts.web.serializers import InputSerializer, OutputSerializer, SpelledId


class LegalEntityOut(OutputSerializer):
    """What an organisation is in law from one instant to another."""

    legal_name = serializers.CharField()
    tax_id = serializers.CharField()
    jurisdiction = serializers.CharField()
    address = serializers.CharField()
    vat_registered = serializers.BooleanField()
    effective_from = serializers.DateTimeField()
    effective_to = serializers.DateTimeField(allow_null=True)


class OrganisationOut(OutputSerializer):
    """An organisation."""

    id = SpelledId("org")
    name = serializers.CharField()
    name_zh = serializers.CharField()
    kind = serializers.CharField()
    country = serializers.CharField()
    uscc = serializers.CharField()
    status = serializers.CharField()
    can_buy = serializers.BooleanField()
    can_sell = serializers.BooleanField()
    can_operate = serializers.BooleanField()
    synthetic = serializers.BooleanField()
    simulated_agent = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class OwnOrganisationOut(OrganisationOut):
    """The caller's organisation with its legal entities, the present one last."""

    legal_entities = LegalEntityOut(many=True)


class MemberOut(OutputSerializer):
    """One role of one person."""

    id = SpelledId("mem")
    user = SpelledId("usr", source="user_id")
    email = serializers.CharField(source="user.email")
    display_name = serializers.CharField(source="user.display_name")
    role = serializers.CharField()
    created_at = serializers.DateTimeField()


class NewMember(InputSerializer):
    """A further role for somebody who belongs to the organisation already."""

    user = fields.TypedId("usr")
    role = fields.StrictChoice(options=Role)


class MeOut(OutputSerializer):
    """Who calls, for whom, and what they may do."""

    label = serializers.CharField()  # type: ignore[assignment]  # DRF takes fields off the class
    user = SpelledId("usr", source="user_id", allow_null=True)
    key = SpelledId("key", source="key_id", allow_null=True)
    organisation = SpelledId("org", source="organisation_id")
    capabilities = serializers.SerializerMethodField()

    def get_capabilities(self, actor: Actor) -> list[str]:
        """Return the capabilities by name."""
        return sorted(actor.capabilities)

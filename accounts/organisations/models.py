"""Who takes part: organisations, what they are in law, people, and who belongs where."""

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Lower

from accounts.foundation import ids, strict
from accounts.organisations.rules import OrganisationKind, OrganisationStatus, Role


class Organisation(models.Model):
    """A body that may buy, sell or operate the exchange, or several of these."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    name = models.CharField(max_length=200)
    name_zh = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=20)
    country = models.CharField(max_length=2)  # ISO 3166-1 alpha-2
    uscc = models.CharField(max_length=18, blank=True)  # unified social credit code, empty where there is none
    status = models.CharField(max_length=20)
    can_buy = models.BooleanField(default=False)
    can_sell = models.BooleanField(default=False)
    can_operate = models.BooleanField(default=False)
    synthetic = models.BooleanField(default=False)  # made up for a demo, a simulation or an import
    simulated_agent = models.BooleanField(default=False)  # the exchange's own simulator delivers for it
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(kind__in=list(OrganisationKind)), name="organisation_kind_known"),
            models.CheckConstraint(condition=Q(status__in=list(OrganisationStatus)), name="organisation_status_known"),
            models.CheckConstraint(
                condition=Q(can_buy=True) | Q(can_sell=True) | Q(can_operate=True), name="organisation_does_something"
            ),
            models.CheckConstraint(condition=Q(country__regex=r"^[A-Z]{2}$"), name="organisation_country_code"),
            models.UniqueConstraint(
                fields=["can_operate"], condition=Q(can_operate=True), name="organisation_one_operator"
            ),
            models.UniqueConstraint(fields=["uscc"], condition=~Q(uscc=""), name="organisation_uscc_unique"),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="organisation_created_in_range",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TimeRange(Func):
    """PostgreSQL's tstzrange(from, to, bounds)."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class LegalEntity(models.Model):
    """What an organisation is in law and for tax from one instant to another; never two at once."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="legal_entities")
    legal_name = models.CharField(max_length=200)
    tax_id = models.CharField(max_length=40)
    jurisdiction = models.CharField(max_length=2)  # ISO 3166-1 alpha-2, whose tax rates apply
    address = models.CharField(max_length=400)
    vat_registered = models.BooleanField()
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True)  # excluded; none while it holds

    class Meta:
        constraints: ClassVar = [
            ExclusionConstraint(
                name="legal_entity_one_at_a_time",
                expressions=[
                    (F("organisation"), RangeOperators.EQUAL),
                    (TimeRange("effective_from", "effective_to", RangeBoundary()), RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=Q(effective_to__isnull=True) | Q(effective_to__gt=F("effective_from")),
                name="legal_entity_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(effective_from__gte=strict.EARLIEST, effective_from__lt=strict.LATEST)
                & (Q(effective_to__isnull=True) | Q(effective_to__lt=strict.LATEST)),
                name="legal_entity_times_in_range",
            ),
            models.CheckConstraint(
                condition=Q(jurisdiction__regex=r"^[A-Z]{2}$"), name="legal_entity_jurisdiction_code"
            ),
        ]

    def __str__(self) -> str:
        return self.legal_name


class User(AbstractBaseUser):
    """A person who signs in with an e-mail address; what they may do comes from memberships."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    email = models.EmailField(max_length=254, unique=True)  # lower case
    display_name = models.CharField(max_length=120)
    locale = models.CharField(max_length=10, default="en")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    last_login = None  # sign-ins are in the audit trail

    objects = BaseUserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST), name="user_created_in_range"
            ),
        ]

    def __str__(self) -> str:
        return self.email


class Membership(models.Model):
    """One role of one person in one organisation."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="memberships")
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20)
    created_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_once"),
            models.CheckConstraint(condition=Q(role__in=list(Role)), name="membership_role_known"),
            models.CheckConstraint(
                condition=Q(created_at__gte=strict.EARLIEST, created_at__lt=strict.LATEST),
                name="membership_created_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role} of {self.organisation}"

"""Customer classes, price adjustments, coefficients and vouchers over HTTP."""

from typing import ClassVar

import django_filters
from django.db.models import QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import InstantFilter, TextFilter, TypedIdFilter
from accounts.web.idempotent import idempotent
from accounts.web.rows import RowResultsOut
from accounts.web.views import ANY_ACTOR, ExchangeAPIView, ListMixin
from billing.pricing import imports, queries, services
from billing.pricing.models import Coefficient, CustomerClass, PriceAdjustment, Voucher
from billing.pricing.serializers import (
    CoefficientOut,
    CustomerClassOut,
    NewCoefficient,
    NewCustomerClass,
    NewPriceAdjustment,
    NewVoucher,
    PriceAdjustmentOut,
    VoucherOut,
    VoucherRows,
)
from billing.pricing.services import VoucherSpec


class CustomerClassFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which classes."""

    buyer = TypedIdFilter(prefix="org", field_name="buyer_id")

    class Meta:
        model = CustomerClass
        fields: ClassVar[list[str]] = []


class CustomerClasses(ListMixin[CustomerClass], ExchangeAPIView):
    """The classes that a provider counts its buyers in."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_SELLING, Capability.VIEW_BOOKS), "POST": Capability.LIST}
    inputs: ClassVar = {"POST": NewCustomerClass}
    outputs: ClassVar = {"GET": CustomerClassOut, "POST": CustomerClassOut}
    filterset_class = CustomerClassFilters

    def rows(self) -> QuerySet[CustomerClass]:
        """Return the classes that the actor's organisation gave."""
        return queries.classes_given(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Count a buyer in a class from an instant on; the open-ended row before ends there."""
        said = self.read()
        row = services.classify(
            self.actor,
            said["buyer"],
            said["customer_class"],
            effective_from=said.get("effective_from"),
            now=clock.now(),
        )
        return self.answer(row)


class PriceAdjustmentFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which adjustments."""

    offering = TypedIdFilter(prefix="ofr", field_name="offering_id")

    class Meta:
        model = PriceAdjustment
        fields: ClassVar[list[str]] = []


class PriceAdjustments(ListMixin[PriceAdjustment], ExchangeAPIView):
    """What customer classes and qualities of service pay of an offering's rate card."""

    required_capability: ClassVar = {"GET": (Capability.VIEW_SELLING, Capability.VIEW_BOOKS), "POST": Capability.LIST}
    inputs: ClassVar = {"POST": NewPriceAdjustment}
    outputs: ClassVar = {"GET": PriceAdjustmentOut, "POST": PriceAdjustmentOut}
    filterset_class = PriceAdjustmentFilters

    def rows(self) -> QuerySet[PriceAdjustment]:
        """Return the adjustments of the actor's own offerings."""
        return queries.adjustments_made(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Adjust a rate card from an instant on; contracts made before keep their terms."""
        said = self.read()
        row = services.adjust(
            self.actor,
            said["offering"],
            factor_ppm=said["factor_ppm"],
            meter=said.get("meter", ""),
            customer_class=said.get("customer_class", ""),
            qos=str(said.get("qos", "")),
            effective_from=said.get("effective_from"),
            now=clock.now(),
        )
        return self.answer(row)


class CoefficientFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which coefficients."""

    precision = TextFilter(max_length=8)

    class Meta:
        model = Coefficient
        fields: ClassVar[list[str]] = []


class Coefficients(ListMixin[Coefficient], ExchangeAPIView):
    """By how much rated performance counts, per precision."""

    required_capability: ClassVar = {"GET": ANY_ACTOR, "POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": NewCoefficient}
    outputs: ClassVar = {"GET": CoefficientOut, "POST": CoefficientOut}
    filterset_class = CoefficientFilters

    def rows(self) -> QuerySet[Coefficient]:
        """Return every coefficient: they are public."""
        return Coefficient.objects.all()

    @idempotent
    def post(self, request: Request) -> Response:
        """Publish a coefficient from an instant on; contracts made before keep theirs."""
        said = self.read()
        row = services.weigh(
            self.actor,
            said["precision"],
            coefficient_ppm=said["coefficient_ppm"],
            source=said["source"],
            effective_from=said.get("effective_from"),
            now=clock.now(),
        )
        return self.answer(row)


class VoucherFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which vouchers."""

    organisation = TypedIdFilter(prefix="org", field_name="organisation_id")
    valid_to_from = InstantFilter(field_name="valid_to", lookup_expr="gte")

    class Meta:
        model = Voucher
        fields: ClassVar[list[str]] = []


class Vouchers(ListMixin[Voucher], ExchangeAPIView):
    """Amounts that the exchange gives buyers towards their invoices."""

    required_capability: ClassVar = {
        "GET": (Capability.VIEW_BUYING, Capability.VIEW_BOOKS),
        "POST": Capability.OPERATE_BOOKS,
    }
    inputs: ClassVar = {"POST": NewVoucher}
    outputs: ClassVar = {"GET": VoucherOut, "POST": VoucherOut}
    filterset_class = VoucherFilters

    def rows(self) -> QuerySet[Voucher]:
        """Return the vouchers of the actor's organisation."""
        return queries.vouchers_held(self.actor)

    @idempotent
    def post(self, request: Request) -> Response:
        """Issue a voucher; the next invoices of the buyer use it until it is used up or ends."""
        said, now = self.read(), clock.now()
        spec = VoucherSpec(
            organisation_id=said["organisation"],
            code=said["code"],
            value=said["value"],
            valid_from=said.get("valid_from", now),
            valid_to=said["valid_to"],
            meters=tuple(said.get("meters", ())),
            resources=tuple(said.get("resources", ())),
        )
        return self.answer(services.issue_voucher(self.actor, spec, now=now))


class VoucherImports(ExchangeAPIView):
    """Many vouchers at once."""

    required_capability: ClassVar = {"POST": Capability.OPERATE_BOOKS}
    inputs: ClassVar = {"POST": VoucherRows}
    outputs: ClassVar = {"POST": RowResultsOut}
    statuses: ClassVar = {"POST": 200}
    max_body_bytes: ClassVar = 2 * imports.MAX_FILE_BYTES

    @idempotent
    def post(self, request: Request) -> Response:
        """Issue each row by itself: good rows are kept, and every row has a result."""
        said, now = self.read(), clock.now()
        if "content" in said:
            return self.answer({"rows": imports.issue_csv(self.actor, said["content"], now=now)})
        return self.answer({"rows": imports.issue_objects(self.actor, said["rows"], now=now)})

"""What is metered and on no invoice yet: nothing holds it, and the invoice will take it from what can be spent."""

from fractions import Fraction
from typing import Final
from uuid import UUID

from django.db import connection

from billing.contracts import rules
from billing.contracts.models import Contract
from billing.contracts.rules import ContractStatus
from billing.contracts.terms import Terms, tax_at
from billing.invoices.rules import Side
from billing.rating.charges import ChargeKind
from catalog.measures import rounding
from catalog.measures.price import amount_minor

_EXTRAS: Final = [str(kind) for kind in (ChargeKind.METERED, ChargeKind.TARIFF, ChargeKind.MINIMUM)]


def unbilled_minor(organisation_id: UUID, currency: str) -> int:
    """Return what the rated extras of a buyer's prepaid contracts come to with tax, beyond what is reserved for them.

    What follows from the whole of a period, as tiers do, counts once its charges are made.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.id, h.price_micros, h.base_quantity, h.raw_per_unit, sum(h.raw_quantity)
            FROM billing_contract c JOIN billing_charge h ON h.contract_id = c.id
            WHERE c.buyer_id = %s AND c.currency = %s AND c.hold_id IS NOT NULL AND c.status <> %s
              AND h.kind = ANY (%s) AND NOT EXISTS (
                SELECT 1 FROM billing_billedcharge b WHERE b.charge_id = h.id AND b.side = %s
              ) GROUP BY 1, 2, 3, 4
            """,
            [organisation_id, currency, ContractStatus.SETTLED, _EXTRAS, Side.CUSTOMER],
        )
        rows = cursor.fetchall()
    net_minor: dict[UUID, int] = {}
    for contract_id, price_micros, base_quantity, per_unit, quantity in rows:
        line_minor = amount_minor(
            Fraction(quantity) / per_unit, price_micros, currency=currency, base_quantity=base_quantity
        )
        net_minor[contract_id] = net_minor.get(contract_id, 0) + line_minor
    contracts = Contract.objects.filter(id__in=net_minor).order_by("id")
    return sum(_beyond_reserve(contract, net_minor[contract.id]) for contract in contracts)


def _beyond_reserve(contract: Contract, net_minor: int) -> int:
    terms = Terms.from_document(contract.terms)
    tax_ppm = tax_at(terms.sales_taxes, contract.starts_at).rate_ppm
    reserved_minor = max(0, contract.share_minor - rules.share_of_hold(contract.value_minor, terms).total_minor)
    return max(0, net_minor + rounding.share(net_minor, tax_ppm) - reserved_minor)

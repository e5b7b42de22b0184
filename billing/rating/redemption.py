"""Uses a buyer's vouchers for a bill: the pure rules of `billing.rating.vouchers` on the rows of pricing."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from billing.contracts.models import Contract
from billing.contracts.terms import Terms
from billing.ledger.rules import Source
from billing.pricing import services as pricing
from billing.rating import vouchers
from billing.rating.bills import Bill
from billing.rating.vouchers import Use, VoucherTerms


def redeem(contract: Contract, bill: Bill, agreed: Terms, *, at: datetime) -> tuple[Bill, Sequence[Use]]:
    """Return a customer's bill less the vouchers of the buyer, whose rows stay locked until the transaction ends."""
    usable = [
        VoucherTerms(
            id=row.id,
            code=row.code,
            remaining_minor=row.value_minor - row.used_minor,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
            meters=frozenset(row.meters),
            resources=frozenset(row.resources),
        )
        for row in pricing.usable_vouchers(contract.buyer_id, contract.currency, at=at)
    ]
    return vouchers.apply(bill, usable, agreed, at=at)


def record(uses: Sequence[Use], source: Source, *, now: datetime) -> None:
    """Note what the document of a source took, in the transaction that issues it."""
    pricing.use_vouchers([(use.voucher_id, use.amount_minor) for use in uses], source, now=now)


def give_back(amounts_minor: Mapping[str, int], source: Source, *, now: datetime) -> int:
    """Give amounts back to vouchers by their codes, as a credit note does; return what came after a voucher's end."""
    return pricing.give_back_vouchers(amounts_minor, source, now=now)

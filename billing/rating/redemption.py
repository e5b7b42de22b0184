"""Uses a buyer's vouchers for a bill: the pure rules of `billing.rating.vouchers` on the rows of pricing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from billing.contracts.models import Contract
from billing.contracts.terms import Terms
from billing.ledger.rules import Source
from billing.pricing import services as pricing
from billing.rating import vouchers
from billing.rating.bills import Bill
from billing.rating.vouchers import Use, VoucherTerms


class Purse:
    """The vouchers of some buyers, their rows locked until the transaction ends, and what is left of each."""

    def __init__(self, buyer_ids: Collection[UUID], *, at: datetime) -> None:
        self._at = at
        self._found: dict[tuple[UUID, str], list[VoucherTerms]] = {}
        for row in pricing.usable_vouchers(buyer_ids, at=at):
            one = VoucherTerms(
                id=row.id,
                code=row.code,
                remaining_minor=row.value_minor - row.used_minor,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
                meters=frozenset(row.meters),
                resources=frozenset(row.resources),
            )
            self._found.setdefault((row.organisation_id, row.currency), []).append(one)

    def redeem(self, contract: Contract, bill: Bill, agreed: Terms) -> tuple[Bill, Sequence[Use]]:
        """Return a customer's bill less the vouchers of the buyer; the next bill has what this one leaves."""
        key = (contract.buyer_id, contract.currency)
        usable = self._found.get(key)
        if not usable:
            return bill, ()
        bill, uses = vouchers.apply(bill, usable, agreed, at=self._at)
        used = {use.voucher_id: use.amount_minor for use in uses}
        left = [replace(one, remaining_minor=one.remaining_minor - used.get(one.id, 0)) for one in usable]
        self._found[key] = [one for one in left if one.remaining_minor]
        return bill, uses


def record(uses: Sequence[Use], source: Source, *, now: datetime) -> None:
    """Note what the document of a source took, in the transaction that issues it."""
    pricing.use_vouchers([(use.voucher_id, use.amount_minor) for use in uses], source, now=now)


def give_back(amounts_minor: Mapping[str, int], source: Source, *, now: datetime) -> int:
    """Give amounts back to vouchers by their codes, as a credit note does; return what came after a voucher's end."""
    return pricing.give_back_vouchers(amounts_minor, source, now=now)

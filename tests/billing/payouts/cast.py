"""A provider that is owed something, and the people of the exchange who pay it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payouts import destinations, services
from billing.payouts.models import Payout, PayoutPolicy
from tests.accounts import cast as people
from tests.billing.cast import party_of as party_of_organisation
from tests.billing.ledger.books import NOW
from tests.billing.payments.cast import person

DUE: Final = NOW + timedelta(days=7)
# The first Monday after DUE, in Shanghai, and long after the account was entered.
MONDAY: Final = DUE + timedelta(days=3)


@dataclass(frozen=True)
class Cast:
    """Who is paid, and who pays."""

    provider: Organisation
    owner: Actor
    clerk: Actor
    approver: Actor
    second: Actor


def make(*, with_account: bool = True) -> Cast:
    """Make everybody; the provider has entered its bank account."""
    provider = people.organisation("Huailai Compute", can_sell=True)
    house = people.organisation("Exchange", can_operate=True, kind=OrganisationKind.OPERATOR)
    return of(provider, house, with_account=with_account)


def of(provider: Organisation, house: Organisation, *, with_account: bool = True) -> Cast:
    """Make the people of a provider and of the exchange."""
    at_work = party_of_organisation(house)
    books = (Capability.VIEW_BOOKS, Capability.OPERATE_BOOKS)
    found = Cast(
        provider,
        person(party_of_organisation(provider), "owner", Capability.VIEW_SELLING, Capability.MANAGE_MEMBERS),
        person(at_work, "clerk", *books, Capability.APPROVE_BOOKS),
        person(at_work, "approver", Capability.VIEW_BOOKS, Capability.APPROVE_BOOKS),
        person(at_work, "second", Capability.VIEW_BOOKS, Capability.APPROVE_BOOKS),
    )
    if with_account:
        enter_account(found)
    return found


def enter_account(cast: Cast, account: str = "6222020200112233445", *, now: object = NOW) -> None:
    """Enter a bank account."""
    destinations.change(
        cast.owner, holder="Huailai Compute Co., Ltd.", bank_name="Bank of Huailai", bank_code="102138000012",
        account=account, now=now,  # type: ignore[arg-type]
    )  # fmt: skip


def owe(cast: Cast, amount_minor: int) -> None:
    """Issue a statement and let its dispute window pass."""
    state(cast, amount_minor)
    services.release_due(now=DUE)


def state(cast: Cast, amount_minor: int, *, due_at: datetime = DUE) -> None:
    """Issue a statement."""
    statement_id = ids.new_id()
    ledger.post(
        Source("statement", statement_id, "issue"),
        [debit(Code.COST_OF_CAPACITY, amount_minor), credit(Code.PAYABLE_PENDING, amount_minor, cast.provider.id)],
        currency="CNY",
        effective_at=NOW,
        now=NOW,
        memo=f"STM-2026-{amount_minor:06d}",
    )
    services.schedule_release(
        statement_id, cast.provider.id, amount_minor=amount_minor, currency="CNY", due_at=due_at, now=NOW
    )


def keep_back(ppm: int, days: int = 30) -> None:
    """Keep a reserve of every release from now on."""
    PayoutPolicy.objects.create(
        currency="CNY", frequency="weekly", minimum_minor=10_000, reserve_ppm=ppm, reserve_days=days,
        two_people_above_minor=10_000_000, effective_from=NOW,
    )  # fmt: skip


def the_payout() -> Payout:
    """Return the newest payout."""
    return Payout.objects.order_by("-id")[0]

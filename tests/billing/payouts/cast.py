"""A provider that is owed something, and the people of the exchange who pay it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from accounts.organisations.rules import OrganisationKind
from billing.connect import services as connect
from billing.connect.models import ConnectedAccount
from billing.ledger import queries as books
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.rules import Source, credit, debit
from billing.payouts import destinations, paying, services
from billing.payouts.models import Payout, PayoutPolicy
from tests.accounts import cast as people
from tests.billing.cast import party_of as party_of_organisation
from tests.billing.ledger.books import NOW
from tests.billing.payments.cast import person
from tests.stripe.server import Wire

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


def onboard(cast: Cast, wire: Wire, *, now: datetime = NOW) -> ConnectedAccount:
    """Let the provider be paid through Stripe from three days after an instant on."""
    seller = replace(cast.owner, capabilities=cast.owner.capabilities | {Capability.LIST})
    account = connect.finish_opening(connect.open_account(seller, now=now).id, now=now)
    wire.simulator.onboard(account.stripe_id)
    connect.refresh_account(account.stripe_id, now=now)
    account.refresh_from_db()
    return account


def approved(cast: Cast) -> Payout:
    """Make what has accrued due, and approve it."""
    paying.make_due(now=MONDAY)
    return paying.approve(cast.approver, the_payout().id, now=MONDAY)


def sent_through_stripe(wire: Wire, amount_minor: int) -> tuple[Cast, Payout]:
    """Set a payout on its way through Stripe; its job has not run yet."""
    cast = make()
    onboard(cast, wire)
    wire.simulator.fund(amount_minor)
    owe(cast, amount_minor)
    return cast, paying.send(cast.clerk, approved(cast).id, now=MONDAY)


def in_books(provider_id: UUID) -> dict[str, int]:
    """Return what the books say from the provider's, the bank's and Stripe's side."""
    return {
        "owed": -books.balance(Code.PAYABLE_AVAILABLE, "CNY", provider_id),
        "transit": -books.balance(Code.PAYOUTS_IN_TRANSIT, "CNY"),
        "bank": books.balance(Code.BANK, "CNY"),
        "stripe": books.balance(Code.STRIPE_AVAILABLE, "CNY"),
    }


def the_payout() -> Payout:
    """Return the newest payout."""
    return Payout.objects.order_by("-id")[0]

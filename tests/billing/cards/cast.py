"""Who pays by card and who sends it back, and the steps that tests take with Stripe."""

from dataclasses import dataclass

from accounts.actors.actor import Actor, Capability
from billing.cards import methods, services
from billing.cards.models import CardPayment, SavedMethod
from billing.ledger import queries as books
from billing.ledger.chart import Code
from catalog.measures.money import Money
from tests.billing.ledger.books import NOW, Party, party
from tests.billing.payments.cast import person
from tests.stripe.server import Wire

BACK = "https://exchange.example/wallet"


@dataclass(frozen=True)
class Cast:
    """A buyer's trader, and finance: a clerk and who approves."""

    lab: Party
    trader: Actor
    clerk: Actor
    approver: Actor


def make() -> Cast:
    """Make everybody."""
    lab, house = party("Beichen AI Lab"), party("Operator")
    return Cast(
        lab,
        person(lab, "trader", Capability.VIEW_BUYING, Capability.TRADE),
        person(house, "clerk", Capability.VIEW_BOOKS, Capability.OPERATE_BOOKS, Capability.APPROVE_BOOKS),
        person(house, "approver", Capability.VIEW_BOOKS, Capability.APPROVE_BOOKS),
    )


def opened(people: Cast, amount_minor: int = 50_000) -> CardPayment:
    """Ask for a top-up, and have its page made."""
    payment = services.request_top_up(people.trader, Money(amount_minor, "CNY"), return_to=BACK, now=NOW)
    return services.push(payment.id, now=NOW)


def paid(people: Cast, wire: Wire, amount_minor: int = 50_000) -> CardPayment:
    """Have a top-up paid and noticed."""
    payment = opened(people, amount_minor)
    wire.simulator.pay(payment.session_id)
    return services.refresh(payment.id, now=NOW)


def saved(people: Cast, wire: Wire, *, declines: str = "") -> SavedMethod:
    """Have a card saved, and chosen for invoices."""
    setup = methods.request_setup(people.trader, currency="CNY", return_to=BACK, now=NOW)
    setup = methods.push_setup(setup.id, currency="CNY", now=NOW)
    wire.simulator.save_method(setup.session_id, declines=declines)
    assert methods.refresh_by_session(setup.session_id, now=NOW)
    setup.refresh_from_db()
    assert setup.method is not None
    methods.choose_for_invoices(people.trader, setup.method.id, now=NOW)
    return setup.method


def figures(people: Cast) -> tuple[int, int, int]:
    """Return what is in the wallet, pending at Stripe, and lost."""
    return (
        books.funds(people.lab.id, "CNY").balance_minor,
        books.balance(Code.STRIPE_CLEARING, "CNY"),
        books.balance(Code.BAD_DEBT, "CNY"),
    )

"""Money for a provider goes to its Stripe account once, whatever happens to the calls."""

from datetime import timedelta

import pytest

from accounts.actors.actor import Actor, Capability
from accounts.foundation import ids
from accounts.jobs.models import Job
from billing.connect import queries, services
from billing.connect.errors import NothingToReverse, NotOnboarded, ReversalTooLarge
from billing.connect.models import ConnectedAccount, ConnectTransfer
from billing.connect.rules import OnboardingStatus, ReversalStatus, TransferStatus
from billing.gateway.errors import GatewayAbsent, OutcomeUnknown
from billing.gateway.models import GatewayCall
from billing.gateway.rules import CallState, Operation
from catalog.measures.money import Money
from tests.billing.ledger.books import NOW, Party, party
from tests.billing.payments.cast import person
from tests.stripe.server import Wire

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)
AMOUNT = Money(50_000, "CNY")


@pytest.fixture
def provider() -> Party:
    return party("Huailai Compute", can_sell=True)


@pytest.fixture
def seller(provider: Party) -> Actor:
    return person(provider, "seller", Capability.VIEW_SELLING, Capability.LIST)


@pytest.fixture
def clerk() -> Actor:
    return person(party("Operator"), "clerk", Capability.VIEW_BOOKS, Capability.OPERATE_BOOKS)


def onboarded(wire: Wire, seller: Actor) -> ConnectedAccount:
    account = services.open_account(seller, now=NOW)
    account = services.finish_opening(account.id, now=NOW)
    assert account.stripe_id
    wire.simulator.onboard(account.stripe_id)
    assert services.refresh_account(account.stripe_id, now=LATER)
    account.refresh_from_db()
    return account


def sent(clerk: Actor, provider: Party) -> ConnectTransfer:
    return services.send(clerk, ids.new_id(), provider.id, AMOUNT, now=NOW)


def test_a_provider_is_enabled_once_stripe_says_so(stripe_wire: Wire, seller: Actor) -> None:
    account = services.open_account(seller, now=NOW)
    assert services.open_account(seller, now=NOW) == account
    assert Job.objects.filter(kind=services.OPEN_ACCOUNT, key=str(account.id)).count() == 1
    account = services.finish_opening(account.id, now=NOW)
    assert account.status == OnboardingStatus.ONBOARDING
    link = services.ask_for_link(seller, return_to="https://exchange.example/sell", now=NOW)
    assert services.link_url(link.id, now=NOW).startswith("https://connect.example/")
    stripe_wire.simulator.onboard(str(account.stripe_id))
    services.refresh_account(str(account.stripe_id), now=LATER)
    assert queries.payable_account(account.organisation_id) == account
    stripe_wire.simulator.restrict(str(account.stripe_id))
    services.refresh_account(str(account.stripe_id), now=LATER)
    assert queries.payable_account(account.organisation_id) is None


def test_without_stripe_no_account_is_made(seller: Actor) -> None:
    with pytest.raises(GatewayAbsent):
        services.open_account(seller, now=NOW)


def test_only_an_enabled_provider_is_sent_money(
    stripe_wire: Wire, seller: Actor, clerk: Actor, provider: Party
) -> None:
    with pytest.raises(NotOnboarded, match="has no Stripe account"):
        sent(clerk, provider)
    account = services.open_account(seller, now=NOW)
    services.finish_opening(account.id, now=NOW)
    with pytest.raises(NotOnboarded, match="onboarding"):
        sent(clerk, provider)


def test_a_transfer_is_sent_paid_out_and_paid(stripe_wire: Wire, seller: Actor, clerk: Actor, provider: Party) -> None:
    onboarded(stripe_wire, seller)
    stripe_wire.simulator.fund(100_000)
    transfer = sent(clerk, provider)
    assert services.send(clerk, transfer.payout_id, provider.id, AMOUNT, now=LATER) == transfer
    transfer = services.push(transfer.id, now=LATER)
    assert transfer.status == TransferStatus.PAYING_OUT
    assert stripe_wire.simulator.available() == 50_000
    stripe_wire.simulator.land_payout(str(transfer.payout_stripe_id))
    assert services.refresh_by_stripe_id(str(transfer.payout_stripe_id), now=LATER)
    found = queries.transfer_of(transfer.payout_id)
    assert found is not None
    assert found.status == TransferStatus.PAID


def test_a_transfer_that_stripe_refuses_has_failed_and_nothing_left(
    stripe_wire: Wire, seller: Actor, clerk: Actor, provider: Party
) -> None:
    onboarded(stripe_wire, seller)
    transfer = services.push(sent(clerk, provider).id, now=LATER)
    assert (transfer.status, transfer.failure) == (
        TransferStatus.FAILED,
        "You have insufficient available funds.",
    )
    assert services.push(transfer.id, now=LATER).status == TransferStatus.FAILED
    assert stripe_wire.simulator.of("transfer") == []


@pytest.mark.parametrize("fault", ["lost_request", "lost_answer", "409", "429", "500"])
@pytest.mark.parametrize("path", ["/v1/transfers", "/v1/payouts"])
def test_a_call_whose_answer_is_lost_is_made_once(
    stripe_wire: Wire, seller: Actor, clerk: Actor, provider: Party, fault: str, path: str
) -> None:
    onboarded(stripe_wire, seller)
    stripe_wire.simulator.fund(100_000)
    transfer = sent(clerk, provider)
    stripe_wire.fault(path, fault)
    with pytest.raises(OutcomeUnknown):
        services.push(transfer.id, now=NOW)
    assert GatewayCall.objects.filter(state=CallState.UNKNOWN).count() == 1
    if (
        fault == "500"
    ):  # Stripe answers the key with it from now on; nothing was made, and the call is closed after a day
        with pytest.raises(OutcomeUnknown):
            services.push(transfer.id, now=LATER)
        transfer = services.push(transfer.id, now=NOW + timedelta(hours=25))
        assert transfer.status in {TransferStatus.FAILED, TransferStatus.PAYOUT_FAILED}
        return
    transfer = services.push(transfer.id, now=LATER)
    assert transfer.status == TransferStatus.PAYING_OUT
    assert stripe_wire.effects(path) == 1
    assert stripe_wire.simulator.available() == 50_000


def test_after_a_day_a_call_is_looked_for_and_never_sent_again(
    stripe_wire: Wire, seller: Actor, clerk: Actor, provider: Party
) -> None:
    onboarded(stripe_wire, seller)
    stripe_wire.simulator.fund(100_000)
    transfer = sent(clerk, provider)
    stripe_wire.fault("/v1/transfers", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        services.push(transfer.id, now=NOW)
    stripe_wire.answered.clear()  # Stripe has forgotten the key
    transfer = services.push(transfer.id, now=NOW + timedelta(hours=25))
    assert transfer.status == TransferStatus.PAYING_OUT
    assert len(stripe_wire.simulator.of("transfer")) == 1


def test_a_payout_that_the_bank_sends_back_is_reversed(
    stripe_wire: Wire, seller: Actor, clerk: Actor, provider: Party
) -> None:
    onboarded(stripe_wire, seller)
    stripe_wire.simulator.fund(100_000)
    transfer = services.push(sent(clerk, provider).id, now=NOW)
    with pytest.raises(NothingToReverse):
        services.reverse(clerk, transfer.id, AMOUNT, now=LATER)
    stripe_wire.simulator.land_payout(str(transfer.payout_stripe_id), fails=True)
    assert services.refresh(transfer.id, now=LATER).status == TransferStatus.PAYOUT_FAILED
    with pytest.raises(ReversalTooLarge):
        services.reverse(clerk, transfer.id, Money(50_001, "CNY"), now=LATER)
    part = services.reverse(clerk, transfer.id, Money(20_000, "CNY"), now=LATER)
    with pytest.raises(ReversalTooLarge):
        services.reverse(clerk, transfer.id, Money(30_001, "CNY"), now=LATER)
    stripe_wire.fault(f"/v1/transfers/{transfer.transfer_stripe_id}/reversals", "lost_answer")
    with pytest.raises(OutcomeUnknown):
        services.push_reversal(part.id, now=LATER)
    assert services.push_reversal(part.id, now=LATER).status == ReversalStatus.DONE
    rest = services.reverse(clerk, transfer.id, Money(30_000, "CNY"), now=LATER)
    services.push_reversal(rest.id, now=LATER)
    transfer.refresh_from_db()
    assert (transfer.status, transfer.reversed_minor) == (TransferStatus.REVERSED, 50_000)
    assert stripe_wire.simulator.available() == 100_000


def test_every_call_was_written_down_with_its_key_before_it_was_sent(
    stripe_wire: Wire, seller: Actor, clerk: Actor, provider: Party
) -> None:
    onboarded(stripe_wire, seller)
    stripe_wire.simulator.fund(100_000)
    services.push(sent(clerk, provider).id, now=LATER)
    keys = {key for method, _, key in stripe_wire.asked if method == "POST"}
    assert keys == set(GatewayCall.objects.values_list("key", flat=True))
    assert set(GatewayCall.objects.values_list("operation", flat=True)) == {
        Operation.CONNECT_ACCOUNT, Operation.TRANSFER, Operation.PAYOUT
    }  # fmt: skip

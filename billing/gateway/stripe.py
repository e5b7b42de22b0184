"""Stripe: the only module that imports its library.

What Stripe's library raises becomes one of three answers: it was done, it was refused (CallRefused), or nobody knows
(OutcomeUnknown). Objects come back as the plain values of `facts`.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

import stripe  # noqa: TID251 (this is the gateway)
from django.conf import settings

from accounts.foundation import strict
from billing.gateway import facts
from billing.gateway.errors import (
    CallRefused,
    ForgedNotice,
    GatewayAbsent,
    NoSuchObject,
    OutcomeUnknown,
    UnreadableNotice,
)
from billing.gateway.facts import GatewayStatus
from billing.gateway.rules import Operation

TIMEOUT_SECONDS: Final = 5
SIGNATURE_TOLERANCE_SECONDS: Final = 300
_PAGE: Final = 100  # rows of one listing request: Stripe's largest
_LONGEST_TEXT: Final = 120  # of an id or type in a message
_EARLIEST_SECONDS: Final = int(strict.EARLIEST.timestamp())
_LATEST_SECONDS: Final = int(strict.LATEST.timestamp())


class StripeGateway:
    """An account with Stripe; an installation without a secret key has none."""

    name: Final = "stripe"

    def __init__(self, secret_key: str, *, api_base: str = "", webhook_secret: str = "") -> None:
        """Keep a client of the account; `api_base` replaces Stripe's own address, for a test double."""
        self.live = secret_key.startswith(("sk_live_", "rk_live_"))
        self._webhook_secret = webhook_secret
        self._client_or_none = (
            stripe.StripeClient(
                secret_key,
                base_addresses={"api": api_base} if api_base else {},
                http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS),
                # Our own rows decide what is tried again, and with which key.
                max_network_retries=0,
            )
            if secret_key
            else None
        )

    @property
    def _client(self) -> stripe.StripeClient:
        if self._client_or_none is None:
            raise GatewayAbsent
        return self._client_or_none

    def configured(self) -> bool:
        """Tell whether there is a secret key."""
        return self._client_or_none is not None

    def account_status(self) -> GatewayStatus:
        """Ask Stripe whether the account may charge cards; one request, at most TIMEOUT_SECONDS."""
        if not self.configured():
            return GatewayStatus(available=False, detail="No Stripe account is configured.")
        try:
            account = self._client.v1.accounts.retrieve_current()
        except stripe.AuthenticationError:
            return GatewayStatus(available=False, detail="Stripe does not accept the secret key.")
        except stripe.StripeError as error:
            return GatewayStatus(available=False, detail=f"Stripe cannot be asked just now ({type(error).__name__}).")
        if not account.charges_enabled:
            return GatewayStatus(available=False, detail=f"The Stripe account {account.id} may not charge cards yet.")
        return GatewayStatus(available=True, detail=f"The Stripe account {account.id} takes card payments.")

    # --- Asking for something -------------------------------------------------------------------

    def make(self, operation: Operation, parameters: Mapping[str, Any], *, key: str, account: str = "") -> facts.Made:
        """Do one thing, once for its key. Raises CallRefused, OutcomeUnknown and GatewayAbsent.

        `parameters` are those of Stripe's documentation; `on` among them names the object acted on.
        """
        sent = dict(parameters)
        options: Any = {"idempotency_key": key} | ({"stripe_account": account} if account else {})
        with _answers():
            made = self._verbs()[operation](sent.pop("on", ""), sent, options)
        return _made(made.to_dict(), operation)

    def _verbs(self) -> Mapping[Operation, Callable[[str, Any, Any], Any]]:
        api = self._client.v1
        return {
            Operation.CUSTOMER: lambda _, sent, options: api.customers.create(sent, options),
            Operation.PAY_SESSION: lambda _, sent, options: api.checkout.sessions.create(sent, options),
            Operation.SETUP_SESSION: lambda _, sent, options: api.checkout.sessions.create(sent, options),
            Operation.PAYMENT: lambda _, sent, options: api.payment_intents.create(sent, options),
            Operation.DETACH_METHOD: api.payment_methods.detach,
            Operation.REFUND: lambda _, sent, options: api.refunds.create(sent, options),
            Operation.CONNECT_ACCOUNT: lambda _, sent, options: api.accounts.create(sent, options),
            Operation.CONNECT_LINK: lambda _, sent, options: api.account_links.create(sent, options),
            Operation.TRANSFER: lambda _, sent, options: api.transfers.create(sent, options),
            Operation.REVERSAL: api.transfers.reversals.create,
            Operation.PAYOUT: lambda _, sent, options: api.payouts.create(sent, options),
        }

    def found(
        self, operation: Operation, *, call: str, since: datetime, on: str = "", account: str = ""
    ) -> facts.Made | None:
        """Return what a call with this mark in its metadata has made since an instant; None when there is nothing.

        Raises OutcomeUnknown when Stripe cannot be asked. Detaching and links make nothing that can be looked for.
        """
        options: Any = {"stripe_account": account} if account else {}
        api = self._client.v1
        lists: Mapping[Operation, Callable[[Any], Any]] = {
            Operation.CUSTOMER: lambda sent: api.customers.list(sent, options),
            Operation.PAY_SESSION: lambda sent: api.checkout.sessions.list(sent, options),
            Operation.SETUP_SESSION: lambda sent: api.checkout.sessions.list(sent, options),
            Operation.PAYMENT: lambda sent: api.payment_intents.list(sent, options),
            Operation.REFUND: lambda sent: api.refunds.list(sent, options),
            Operation.CONNECT_ACCOUNT: lambda sent: api.accounts.list(sent, options),
            Operation.TRANSFER: lambda sent: api.transfers.list(sent, options),
            Operation.REVERSAL: lambda sent: api.transfers.reversals.list(on, {"limit": sent["limit"]}, options),
            Operation.PAYOUT: lambda sent: api.payouts.list(sent, options),
        }
        if operation not in lists:
            return None
        with _answers():
            rows = lists[operation]({"limit": _PAGE, "created": {"gte": _seconds(since)}})
            for row in rows.auto_paging_iter():
                found = row.to_dict()
                if (found.get("metadata") or {}).get("call") == call:
                    return _made(found, operation)
        return None

    # --- Looking at something -------------------------------------------------------------------

    def session(self, session_id: str) -> facts.Session:
        """Return a Checkout session; this and its like raise NoSuchObject, OutcomeUnknown and GatewayAbsent."""
        with _answers():
            row = self._client.v1.checkout.sessions.retrieve(session_id).to_dict()
        return facts.Session(
            id=row["id"],
            status=_text(row.get("status")),
            payment_status=_text(row.get("payment_status")),
            intent_id=_id(row.get("payment_intent")),
            setup_id=_id(row.get("setup_intent")),
            url=_text(row.get("url")),
        )

    def intent(self, intent_id: str) -> facts.Intent:
        """Return a payment."""
        with _answers():
            row = self._client.v1.payment_intents.retrieve(intent_id).to_dict()
        failure = row.get("last_payment_error") or {}
        return facts.Intent(
            id=row["id"],
            status=_text(row["status"]),
            amount_minor=row["amount"],
            received_minor=row.get("amount_received") or 0,
            currency=row["currency"].upper(),
            charge_id=_id(row.get("latest_charge")),
            failure_code=_text(failure.get("decline_code") or failure.get("code")),
            failure_message=_text(failure.get("message")),
            mark=_text((row.get("metadata") or {}).get("card_payment")),
        )

    def method_set_up(self, setup_id: str) -> str:
        """Return the id of the method that a set-up has saved; empty while it is not finished."""
        with _answers():
            row = self._client.v1.setup_intents.retrieve(setup_id).to_dict()
        return _id(row.get("payment_method")) if row["status"] == "succeeded" else ""

    def method(self, method_id: str) -> facts.Method:
        """Return a saved method."""
        with _answers():
            row = self._client.v1.payment_methods.retrieve(method_id).to_dict()
        card = row.get("card") or {}
        return facts.Method(
            id=row["id"],
            customer_id=_id(row.get("customer")),
            brand=_text(card.get("brand")) or _text(row.get("type")),
            last4=_text(card.get("last4")),
            expires_year=card.get("exp_year") or 0,
            expires_month=card.get("exp_month") or 0,
        )

    def refund(self, refund_id: str) -> facts.Refund:
        """Return a refund."""
        with _answers():
            row = self._client.v1.refunds.retrieve(refund_id).to_dict()
        return facts.Refund(
            id=row["id"],
            status=_text(row["status"]),
            amount_minor=row["amount"],
            currency=row["currency"].upper(),
            charge_id=_id(row.get("charge")),
            failure_reason=_text(row.get("failure_reason")),
        )

    def dispute(self, dispute_id: str) -> facts.Dispute:
        """Return a dispute."""
        with _answers():
            return _dispute(self._client.v1.disputes.retrieve(dispute_id).to_dict())

    def disputes(self, *, since: datetime) -> Iterator[facts.Dispute]:
        """Yield the disputes opened since an instant."""
        with _answers():
            rows = self._client.v1.disputes.list({"limit": _PAGE, "created": {"gte": _seconds(since)}})
            for row in rows.auto_paging_iter():
                yield _dispute(row.to_dict())

    def connected_account(self, account_id: str) -> facts.ConnectedAccount:
        """Return a provider's account."""
        with _answers():
            row = self._client.v1.accounts.retrieve(account_id).to_dict()
        return facts.ConnectedAccount(
            id=row["id"],
            details_submitted=bool(row.get("details_submitted")),
            payouts_enabled=bool(row.get("payouts_enabled")),
            transfers_active=(row.get("capabilities") or {}).get("transfers") == "active",
        )

    def transfer(self, transfer_id: str) -> facts.Transfer:
        """Return a transfer."""
        with _answers():
            row = self._client.v1.transfers.retrieve(transfer_id).to_dict()
        return facts.Transfer(
            id=row["id"],
            amount_minor=row["amount"],
            reversed_minor=row["amount_reversed"],
            currency=row["currency"].upper(),
            destination=_id(row.get("destination")),
        )

    def payout(self, payout_id: str, *, account: str = "") -> facts.Payout:
        """Return a payout of our own balance, or of a connected account's."""
        options: Any = {"stripe_account": account} if account else {}
        with _answers():
            row = self._client.v1.payouts.retrieve(payout_id, None, options).to_dict()
        return _payout(row)

    def payouts(self, *, since: datetime) -> Iterator[facts.Payout]:
        """Yield the payouts of our own balance that were made since an instant."""
        with _answers():
            rows = self._client.v1.payouts.list({"limit": _PAGE, "created": {"gte": _seconds(since)}})
            for row in rows.auto_paging_iter():
                yield _payout(row.to_dict())

    def movements(self, *, since: datetime | None = None, payout_id: str = "") -> Iterator[facts.Movement]:
        """Yield the rows of the balance made since an instant, or those of one automatic payout."""
        wanted: Any = {"limit": _PAGE}
        if since is not None:
            wanted["created"] = {"gte": _seconds(since)}
        if payout_id:
            wanted["payout"] = payout_id
        with _answers():
            for row in self._client.v1.balance_transactions.list(wanted).auto_paging_iter():
                yield _movement(row.to_dict())

    def movement(self, transaction_id: str) -> facts.Movement:
        """Return one row of the balance."""
        with _answers():
            return _movement(self._client.v1.balance_transactions.retrieve(transaction_id).to_dict())

    # --- Being told something -------------------------------------------------------------------

    def notice(self, body: bytes, signature: str) -> facts.Notice:
        """Return what a signed message says; raises ForgedNotice for others, GatewayAbsent without a secret."""
        if not self._webhook_secret:
            raise GatewayAbsent
        try:
            event = self._client.construct_event(
                body, signature, self._webhook_secret, tolerance=SIGNATURE_TOLERANCE_SECONDS
            )
        except (stripe.SignatureVerificationError, ValueError, LookupError, AttributeError, TypeError) as error:
            raise ForgedNotice from error
        except RecursionError as error:
            raise UnreadableNotice("its nesting", "an event") from error
        return _notice(event.to_dict())

    def undelivered_notices(self, *, since: datetime) -> Iterator[facts.Notice | facts.UnreadNotice]:
        """Yield the events since an instant that Stripe could not deliver to some address of ours, odd ones too."""
        wanted: Any = {"limit": _PAGE, "delivery_success": False, "created": {"gte": _seconds(since)}}
        with _answers():
            for event in self._client.v1.events.list(wanted).auto_paging_iter():
                yield _listed(event.to_dict())


def from_settings() -> StripeGateway:
    """Return the gateway of this installation."""
    return _kept(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_WEBHOOK_SECRET)


@cache  # one client for each account of the process: its connections are used again, one for each thread
def _kept(secret_key: str, api_base: str, webhook_secret: str) -> StripeGateway:
    return StripeGateway(secret_key, api_base=api_base, webhook_secret=webhook_secret)


os.register_at_fork(after_in_child=_kept.cache_clear)  # two processes on one connection would mix up answers


@contextmanager
def _answers() -> Iterator[None]:
    """Turn what Stripe's library raises into the three answers there are."""
    try:
        yield
    except stripe.CardError as error:
        raise CallRefused(
            _text(getattr(error, "decline_code", None)) or _text(error.code) or "card_declined",
            _text(error.user_message),
            object_id=_declined_intent(error),
        ) from error
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing" or error.http_status == 404:
            raise NoSuchObject(_text(error.user_message) or "Stripe knows no such object.") from error
        if error.http_status == 409:
            raise OutcomeUnknown(f"Stripe is still busy with the same call ({error.code}).") from error
        raise CallRefused(_text(error.code) or "invalid_request", _text(error.user_message)) from error
    except stripe.IdempotencyError as error:
        if error.http_status == 409:
            raise OutcomeUnknown("Stripe is still busy with the same call.") from error
        raise CallRefused("idempotency_error", _text(error.user_message)) from error
    except stripe.StripeError as error:  # a lost connection, a busy or broken Stripe, a key that is being replaced
        raise OutcomeUnknown(f"Stripe gave no certain answer ({type(error).__name__}).") from error


def _made(row: Mapping[str, Any], operation: Operation) -> facts.Made:
    # A link has no id of its own.
    return facts.Made(
        id=_text(row.get("id")) or operation.value, url=_text(row.get("url")), status=_text(row.get("status"))
    )


def _declined_intent(error: stripe.CardError) -> str:
    body: Any = error.json_body if isinstance(error.json_body, Mapping) else {}
    made = body.get("error", {}).get("payment_intent") or {}
    return _text(made.get("id"))


def _dispute(row: Mapping[str, Any]) -> facts.Dispute:
    return facts.Dispute(
        id=row["id"],
        status=_text(row["status"]),
        reason=_text(row.get("reason")),
        amount_minor=row["amount"],
        currency=row["currency"].upper(),
        charge_id=_id(row.get("charge")),
        intent_id=_id(row.get("payment_intent")),
    )


def _payout(row: Mapping[str, Any]) -> facts.Payout:
    return facts.Payout(
        id=row["id"],
        status=_text(row["status"]),
        amount_minor=row["amount"],
        currency=row["currency"].upper(),
        automatic=bool(row.get("automatic")),
        failure_code=_text(row.get("failure_code")),
        created_at=_instant(row["created"]),
        arrives_on=_instant(row["arrival_date"]).date(),
    )


def _movement(row: Mapping[str, Any]) -> facts.Movement:
    return facts.Movement(
        id=row["id"],
        amount_minor=row["amount"],
        fee_minor=row["fee"],
        net_minor=row["net"],
        currency=row["currency"].upper(),
        type=_text(row["type"]),
        reporting_category=_text(row["reporting_category"]),
        source_id=_id(row.get("source")),
        status=_text(row["status"]),
        available_on=_instant(row["available_on"]),
        created_at=_instant(row["created"]),
        description=_text(row.get("description")),
    )


def _notice(event: Mapping[str, Any]) -> facts.Notice:
    """Read an event as far as it is a hint; raises UnreadableNotice naming what is not as Stripe sends it."""
    about = event.get("data")
    about = about.get("object") if isinstance(about, dict) else None
    if not isinstance(about, dict):
        raise UnreadableNotice("data.object", "an object")
    created = event.get("created")
    if type(created) is not int or not _EARLIEST_SECONDS <= created < _LATEST_SECONDS:
        raise UnreadableNotice("created", "seconds of a time between 2020 and 2100")
    return facts.Notice(
        id=_short("id", event.get("id")),
        type=_short("type", event.get("type")),
        live=bool(event.get("livemode")),
        account=_short("account", event.get("account"), required=False),
        object_kind=_short("data.object.object", about.get("object"), required=False),
        object_id=_short("data.object.id", about.get("id"), required=False),
        created_at=_instant(created),
    )


def _listed(event: Mapping[str, Any]) -> facts.Notice | facts.UnreadNotice:
    """Read an event of a list, in which one that cannot be read hides none of the others."""
    try:
        return _notice(event)
    except UnreadableNotice as error:
        try:
            known_as = _short("id", event.get("id"))
        except UnreadableNotice:
            known_as = f"unread_{hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()}"
        return facts.UnreadNotice(known_as, error.detail)


def _short(name: str, value: object, *, required: bool = True) -> str:
    if value is None and not required:
        return ""
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_TEXT or not value.isprintable():
        raise UnreadableNotice(name, f"a text of 1 to {_LONGEST_TEXT} printable characters")
    return value


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _id(value: Any) -> str:
    """Return an id, whether the object itself came along or not."""
    return "" if value is None else value if isinstance(value, str) else str(value["id"])


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def _seconds(instant: datetime) -> int:
    return int(instant.timestamp())

"""What happens at the simulated Stripe without us: payers pay, banks dispute, balances are paid out."""

import hashlib
import hmac
import json
from typing import Any

FEE_PPM = 29_000
FEE_FLAT = 30
DISPUTE_FEE = 1_500


class Payers:
    """The part of the simulator that tests act through in the place of people and banks."""

    def __getattr__(self, name: str) -> Any:
        """Leave the rest to the simulator, which this is a part of."""
        raise AttributeError(name)

    def new_intent(self, amount: int, currency: str, customer: str, metadata: dict[str, Any]) -> dict[str, Any]:
        """Make a payment that waits for its method."""
        made: dict[str, Any] = self.keep(
            "pi", "payment_intent", amount=amount, amount_received=0, currency=currency, customer=customer,
            status="requires_payment_method", latest_charge=None, last_payment_error=None, metadata=metadata,
        )  # fmt: skip
        return made

    def succeed(self, intent: dict[str, Any]) -> None:
        """Let a payment come in: a charge, its row of the balance, and two events."""
        amount = intent["amount"]
        charge = self.keep(
            "ch", "charge", amount=amount, amount_refunded=0, currency=intent["currency"], paid=True,
            payment_intent=intent["id"],
        )  # fmt: skip
        fee = amount * FEE_PPM // 1_000_000 + FEE_FLAT
        self.move(amount, "charge", charge["id"], fee=fee, days=2, currency=intent["currency"])
        intent.update(status="succeeded", amount_received=amount, latest_charge=charge["id"], last_payment_error=None)
        self.tell("payment_intent.succeeded", intent)
        self.tell("charge.succeeded", charge)

    def decline(self, intent: dict[str, Any], code: str) -> None:
        """Let a card be declined; the payment stays open for another."""
        intent["last_payment_error"] = {
            "code": "card_declined",
            "decline_code": code,
            "message": "Your card was declined.",
            "type": "card_error",
        }
        self.tell("payment_intent.payment_failed", intent)

    def pay(self, session_id: str, *, declines: str = "") -> dict[str, Any]:
        """Let the payer pay on the page of a session, or try to with a card that is declined."""
        session = self.get(session_id, "checkout.session")
        assert (session["mode"], session["status"]) == ("payment", "open"), session
        intent: dict[str, Any] = (
            self.get(session["payment_intent"])
            if session["payment_intent"]
            else self.new_intent(
                session["amount_total"], session["currency"], session["customer"], session["_metadata"]
            )
        )
        session["payment_intent"] = intent["id"]
        if declines:
            self.decline(intent, declines)
            return intent
        self.succeed(intent)
        session.update(status="complete", payment_status="paid", url=None)
        self.tell("checkout.session.completed", _open(session))
        return intent

    def expire(self, session_id: str) -> None:
        """Let a session end without a payment."""
        session = self.get(session_id, "checkout.session")
        session.update(status="expired", url=None)
        self.tell("checkout.session.expired", _open(session))

    def save_method(self, session_id: str, *, declines: str = "", last4: str = "4242") -> dict[str, Any]:
        """Let the payer leave a card on the page of a session."""
        session = self.get(session_id, "checkout.session")
        assert session["mode"] == "setup", session
        method: dict[str, Any] = self.keep(
            "pm", "payment_method", type="card", customer=session["customer"], _declines=declines,
            card={"brand": "visa", "last4": last4, "exp_month": 12, "exp_year": 2030},
        )  # fmt: skip
        setup = self.keep("seti", "setup_intent", status="succeeded", payment_method=method["id"])
        session.update(status="complete", setup_intent=setup["id"], payment_status="no_payment_required", url=None)
        self.tell("checkout.session.completed", _open(session))
        return method

    def finish_refund(self, refund_id: str, *, fails: bool = False) -> None:
        """Let a refund arrive, or come back."""
        refund = self.get(refund_id, "refund")
        charge = self.get(refund["charge"])
        refund["status"] = "failed" if fails else "succeeded"
        if fails:
            refund["failure_reason"] = "expired_or_canceled_card"
            charge["amount_refunded"] -= refund["amount"]
            self.move(refund["amount"], "refund_failure", refund_id, currency=refund["currency"])
        self.tell("refund.failed" if fails else "refund.updated", refund)

    def open_dispute(self, charge_id: str) -> dict[str, Any]:
        """Let the payer's bank take a charge back."""
        charge = self.get(charge_id, "charge")
        dispute: dict[str, Any] = self.keep(
            "dp", "dispute", amount=charge["amount"], currency=charge["currency"], charge=charge_id,
            payment_intent=charge["payment_intent"], status="needs_response", reason="fraudulent",
        )  # fmt: skip
        self.move(-charge["amount"], "dispute", dispute["id"], fee=DISPUTE_FEE, currency=charge["currency"])
        self.tell("charge.dispute.created", dispute)
        return dispute

    def close_dispute(self, dispute_id: str, *, won: bool) -> None:
        """Let the card network decide."""
        dispute = self.get(dispute_id, "dispute")
        dispute["status"] = "won" if won else "lost"
        if won:
            self.move(dispute["amount"], "dispute_reversal", dispute_id, currency=dispute["currency"])
        self.tell("charge.dispute.closed", dispute)

    def onboard(self, account_id: str) -> None:
        """Let a provider tell everything that Stripe wants to know."""
        account = self.get(account_id, "account")
        account.update(details_submitted=True, payouts_enabled=True, capabilities={"transfers": "active"})
        self.tell("account.updated", _open(account), account=account_id)

    def restrict(self, account_id: str) -> None:
        """Let Stripe ask a provider for more."""
        account = self.get(account_id, "account")
        account["payouts_enabled"] = False
        self.tell("account.updated", _open(account), account=account_id)

    def land_payout(self, payout_id: str, *, fails: bool = False) -> None:
        """Let a payout reach the bank, or come back from it."""
        payout = self.get(payout_id, "payout")
        payout["status"] = "failed" if fails else "paid"
        if fails:
            payout["failure_code"] = "account_closed"
            if payout.get("_account"):
                self.get(payout["_account"])["_balance"] += payout["amount"]
        self.tell("payout.failed" if fails else "payout.paid", _open(payout), account=payout.get("_account", ""))

    def pay_out_automatically(self) -> dict[str, Any]:
        """Let Stripe send what is available in our balance to our bank, and say which rows that is."""
        rows = [
            row
            for row in self.of("balance_transaction")
            if row["status"] == "available" and "_payout" not in row and row["type"] != "payout"
        ]
        amount = sum(row["net"] for row in rows)
        payout: dict[str, Any] = self.keep(
            "po",
            "payout",
            amount=amount,
            currency="cny",
            status="paid",
            automatic=True,
            failure_code=None,
            arrival_date=int(self.now.timestamp()),
        )
        for row in rows:
            row["_payout"] = payout["id"]
        self.move(-amount, "payout", payout["id"])["_payout"] = payout["id"]
        self.tell("payout.paid", payout)
        return payout

    def fund(self, amount: int) -> None:
        """Let there be money in our balance, as a top-up of it."""
        self.move(amount, "topup", "tu_1")


def message(event: dict[str, Any], secret: str, *, at: int) -> tuple[bytes, str]:
    """Return an event as Stripe sends it: the body, and the signature header over exactly these bytes."""
    body = json.dumps(event, indent=2).encode()
    return body, signature(body, secret, at=at)


def signature(body: bytes, secret: str, *, at: int) -> str:
    """Return the header with which Stripe signs a body."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def _open(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("_")}

"""What the simulated Stripe keeps, what it answers, and what happens there by itself or by a payer's hand."""

from datetime import datetime, timedelta
from typing import Any, Final

from tests.stripe.answers import Refused, check, invalid, whole
from tests.stripe.payers import Payers

LISTS: Final = {
    "customers": "customer",
    "sessions": "checkout.session",
    "payment_intents": "payment_intent",
    "setup_intents": "setup_intent",
    "payment_methods": "payment_method",
    "refunds": "refund",
    "disputes": "dispute",
    "accounts": "account",
    "transfers": "transfer",
    "payouts": "payout",
    "balance_transactions": "balance_transaction",
    "events": "event",
}
MARKS: Final = "metadata.*"


class Simulator(Payers):
    """One platform account with everything in it."""

    def __init__(self, now: datetime, *, account: str = "acct_platform") -> None:
        self.now = now
        self.account = account
        self.charges_enabled = True
        self.pages = "https://checkout.example"
        self.objects: dict[str, dict[str, Any]] = {}
        self.undelivered: set[str] = set()
        self.told: list[dict[str, Any]] = []
        self._number = 0

    # --- Keeping things ---------------------------------------------------------------------

    def keep(self, prefix: str, kind: str, **fields: Any) -> dict[str, Any]:
        """Make an object."""
        self._number += 1
        row = {
            "id": f"{prefix}_{self._number:06d}",
            "object": kind,
            "created": int(self.now.timestamp()),
            "livemode": False,
            "metadata": {},
            **fields,
        }
        self.objects[row["id"]] = row
        return row

    def tell(self, name: str, row: dict[str, Any], *, account: str = "") -> dict[str, Any]:
        """Note an event about an object as it is now; it is undelivered until somebody delivers it."""
        event = self.keep("evt", "event", type=name, data={"object": dict(row)}, api_version="2026-10-28.endive")
        event["pending_webhooks"], event["request"] = 1, None
        if account:
            event["account"] = account
        self.undelivered.add(event["id"])
        self.told.append(event)
        return event

    def pass_time(self, passed: timedelta) -> None:
        """Let time go on; what was pending becomes available."""
        self.now += passed
        for row in self.of("balance_transaction"):
            if row["status"] == "pending" and row["available_on"] <= self.now.timestamp():
                row["status"] = "available"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the objects of a kind, oldest first."""
        return [row for row in self.objects.values() if row["object"] == kind]

    def move(
        self, amount: int, category: str, source: str, *, fee: int = 0, days: int = 0, currency: str = "cny"
    ) -> dict[str, Any]:
        """Write a row of the balance."""
        return self.keep(
            "txn",
            "balance_transaction",
            amount=amount,
            fee=fee,
            net=amount - fee,
            currency=currency,
            type=category,
            reporting_category=category,
            source=source,
            status="pending" if days else "available",
            available_on=int((self.now + timedelta(days=days)).timestamp()),
            description=None,
        )

    def get(self, object_id: str, kind: str = "") -> dict[str, Any]:
        """Return an object or refuse as Stripe does."""
        row = self.objects.get(object_id)
        if row is None or (kind and row["object"] != kind):
            raise Refused(404, "invalid_request_error", f"No such {kind or 'object'}: '{object_id}'",
                          code="resource_missing", param="id")  # fmt: skip
        return row

    def available(self, account: str = "") -> int:
        """Return what may be sent from our balance, or from a connected account's."""
        if account:
            return int(self.get(account, "account")["_balance"])
        return sum(row["net"] for row in self.of("balance_transaction") if row["status"] == "available")

    # --- Reading ----------------------------------------------------------------------------

    def own_account(self, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Answer whose key it is."""
        check(sent, ())
        return {"id": self.account, "object": "account", "charges_enabled": self.charges_enabled}

    def retrieve(self, noun: str, object_id: str, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Answer one object."""
        check(sent, ())
        row = self.get(object_id, LISTS.get(noun, noun))
        if row.get("_account", "") != account:
            return self.get("", LISTS.get(noun, noun))
        return shown(row)

    def list_objects(self, noun: str, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Answer a page, newest first."""
        check(sent, (), ("limit", "starting_after", "created.gte", "payout", "delivery_success"))
        if noun not in LISTS:
            raise Refused(404, "invalid_request_error", f"Unrecognized request URL ({noun}).")
        rows = [row for row in self.of(LISTS[noun]) if row.get("_account", "") == account]
        rows = [row for row in rows if row["created"] >= int(sent.get("created", {}).get("gte", 0))]
        if "payout" in sent:
            rows = [row for row in rows if row.get("_payout") == sent["payout"]]
        if sent.get("delivery_success") == "false":
            rows = [row for row in rows if row["id"] in self.undelivered]
        return page(rows, sent, f"/v1/{noun}")

    def list_reversals(self, transfer_id: str, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Answer what was fetched back of a transfer."""
        check(sent, (), ("limit", "starting_after"))
        rows = [row for row in self.of("transfer_reversal") if row["transfer"] == transfer_id]
        return page(rows, sent, f"/v1/transfers/{transfer_id}/reversals")

    # --- Making -----------------------------------------------------------------------------

    def create_customer(self, _: str, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Make a customer."""
        check(sent, (), ("name", "email", MARKS))
        return self.keep("cus", "customer", name=sent.get("name"), metadata=sent.get("metadata", {}))

    def create_session(self, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Make a Checkout session, for a payment or to save a method."""
        item = "line_items.0."
        paying = (
            f"{item}price_data.currency",
            f"{item}price_data.unit_amount",
            f"{item}price_data.product_data.name",
            f"{item}quantity",
        )
        common = ("mode", "customer", "success_url", "cancel_url")
        if sent.get("mode") == "payment":
            check(sent, (*common, *paying), (MARKS, "payment_intent_data.metadata.*", "client_reference_id"))
            price = sent["line_items"]["0"]["price_data"]
            amount = whole(price["unit_amount"], "unit_amount") * whole(sent["line_items"]["0"]["quantity"], "quantity")
            currency = price["currency"]
        else:
            check(sent, (*common, "currency"), (MARKS, "client_reference_id"))
            if sent["mode"] != "setup":
                raise invalid(f"Invalid mode: {sent['mode']}", param="mode")
            amount, currency = 0, sent["currency"]
        self.get(sent["customer"], "customer")
        row = self.keep(
            "cs", "checkout.session", mode=sent["mode"], customer=sent["customer"], amount_total=amount,
            currency=currency, status="open", payment_status="unpaid", payment_intent=None, setup_intent=None,
            metadata=sent.get("metadata", {}), _metadata=sent.get("payment_intent_data", {}).get("metadata", {}),
        )  # fmt: skip
        row["url"] = f"{self.pages}/{row['id']}"
        return shown(row)

    def create_intent(self, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Make and confirm a payment with a saved method, while the payer is away."""
        check(
            sent,
            ("amount", "currency", "customer", "payment_method", "confirm", "off_session"),
            (MARKS, "description", "transfer_group"),
        )
        method = self.get(sent["payment_method"], "payment_method")
        if method["customer"] != sent["customer"]:
            raise invalid("The payment method does not belong to the customer.", param="payment_method")
        intent = self.new_intent(
            whole(sent["amount"], "amount"), sent["currency"], sent["customer"], sent.get("metadata", {})
        )
        if method["_declines"]:
            self.decline(intent, method["_declines"])
            raise Refused(
                402, "card_error", "Your card was declined.", code="card_declined", param="",
                more={"decline_code": method["_declines"], "payment_intent": shown(intent)},
            )  # fmt: skip
        self.succeed(intent)
        return shown(intent)

    def detach_method(self, method_id: str, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Forget a method."""
        check(sent, ())
        method = self.get(method_id, "payment_method")
        if method["customer"] is None:
            raise invalid("The payment method is not attached to a customer.")
        method["customer"] = None
        self.tell("payment_method.detached", shown(method))
        return shown(method)

    def create_refund(self, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Send money of a charge back."""
        check(sent, ("charge", "amount"), (MARKS, "reason"))
        charge = self.get(sent["charge"], "charge")
        amount = whole(sent["amount"], "amount")
        if charge["amount_refunded"] + amount > charge["amount"]:
            raise invalid("Refund amount is greater than unrefunded amount on charge.", param="amount",
                          code="charge_already_refunded")  # fmt: skip
        charge["amount_refunded"] += amount
        refund = self.keep(
            "re", "refund", amount=amount, currency=charge["currency"], charge=charge["id"], status="pending",
            failure_reason=None, metadata=sent.get("metadata", {}),
        )  # fmt: skip
        self.move(-amount, "refund", refund["id"], days=0, currency=charge["currency"])
        self.tell("charge.refunded", charge)
        return refund

    def create_account(self, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Make a connected account."""
        check(
            sent,
            ("type", "country", "capabilities.transfers.requested"),
            (MARKS, "settings.payouts.schedule.interval", "email"),
        )
        row = self.keep(
            "acct", "account", country=sent["country"], type=sent["type"], details_submitted=False,
            payouts_enabled=False, capabilities={"transfers": "inactive"}, metadata=sent.get("metadata", {}),
            _balance=0,
        )  # fmt: skip
        return shown(row)

    def create_account_link(self, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Make a page where a provider tells about itself."""
        check(sent, ("account", "refresh_url", "return_url", "type"))
        self.get(sent["account"], "account")
        self._number += 1
        return {
            "object": "account_link",
            "created": int(self.now.timestamp()),
            "url": f"https://connect.example/setup/{self._number}",
            "expires_at": int(self.now.timestamp()) + 300,
        }

    def create_transfer(self, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Move money to a connected account."""
        check(sent, ("amount", "currency", "destination"), (MARKS, "transfer_group", "source_transaction"))
        amount = whole(sent["amount"], "amount")
        destination = self.get(sent["destination"], "account")
        if destination["capabilities"]["transfers"] != "active":
            raise invalid("The destination account needs the transfers capability.",
                          code="insufficient_capabilities_for_transfer")  # fmt: skip
        if amount > self.available():
            raise invalid("You have insufficient available funds.", code="balance_insufficient")
        destination["_balance"] += amount
        row = self.keep(
            "tr", "transfer", amount=amount, amount_reversed=0, reversed=False, currency=sent["currency"],
            destination=sent["destination"], transfer_group=sent.get("transfer_group"),
            metadata=sent.get("metadata", {}),
        )  # fmt: skip
        self.move(-amount, "transfer", row["id"], currency=sent["currency"])
        self.tell("transfer.created", row)
        return row

    def create_reversal(self, transfer_id: str, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Fetch money of a transfer back, as far as the connected account has it."""
        check(sent, ("amount",), (MARKS,))
        transfer = self.get(transfer_id, "transfer")
        amount = whole(sent["amount"], "amount")
        destination = self.get(transfer["destination"])
        if transfer["amount_reversed"] + amount > transfer["amount"]:
            raise invalid("The reversal is greater than what is left of the transfer.", param="amount")
        if amount > destination["_balance"]:
            raise invalid("The account has insufficient funds.", code="balance_insufficient")
        destination["_balance"] -= amount
        transfer["amount_reversed"] += amount
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        row = self.keep("trr", "transfer_reversal", amount=amount, currency=transfer["currency"],
                        transfer=transfer_id, metadata=sent.get("metadata", {}))  # fmt: skip
        self.move(amount, "transfer_reversal", row["id"], currency=transfer["currency"])
        self.tell("transfer.reversed", transfer)
        return row

    def create_payout(self, *, sent: dict[str, Any], account: str) -> dict[str, Any]:
        """Send money from a connected account to its bank."""
        check(sent, ("amount", "currency"), (MARKS,))
        amount = whole(sent["amount"], "amount")
        if amount > self.available(account):
            raise invalid("You have insufficient funds in your Stripe account.", code="balance_insufficient")
        if account:
            self.get(account)["_balance"] -= amount
        row = self.keep(
            "po", "payout", amount=amount, currency=sent["currency"], status="in_transit", automatic=False,
            failure_code=None, metadata=sent.get("metadata", {}), _account=account,
            arrival_date=int(self.now.timestamp()),
        )  # fmt: skip
        self.tell("payout.created", shown(row), account=account)
        return shown(row)


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Return an object without what only the simulator knows."""
    return {name: value for name, value in row.items() if not name.startswith("_")}


def page(rows: list[dict[str, Any]], sent: dict[str, Any], url: str) -> dict[str, Any]:
    """Return one page of a list, newest first."""
    rows = sorted(rows, key=lambda row: row["id"].rpartition("_")[2], reverse=True)
    if "starting_after" in sent:
        ids = [row["id"] for row in rows]
        rows = rows[ids.index(sent["starting_after"]) + 1 :]
    limit = int(sent.get("limit", 10))
    if not 1 <= limit <= 100:
        raise invalid("limit must be between 1 and 100", param="limit")
    return {"object": "list", "url": url, "has_more": len(rows) > limit, "data": [shown(row) for row in rows[:limit]]}

"""Corruptions of money by card. The story pays nothing by card, so each writes its own rows."""

from typing import Final

from tests.audit.corruption import corruption, one

_BUYER: Final = "(SELECT id FROM accounts_organisation WHERE can_buy ORDER BY id LIMIT 1)"
_EVENT: Final = (
    "INSERT INTO billing_stripeevent (id, stripe_id, type, account, object_kind, object_id, created_at, received_at,"
    " polled, state, handled_at, note) SELECT gen_random_uuid(), 'evt_1', 'payout.paid', '', 'payout', 'po_1',"
    " exchange_now(), exchange_now() - interval '{age}', false, '{state}', {handled}, ''"
)
_PAYMENT: Final = (
    "INSERT INTO billing_cardpayment (id, organisation_id, purpose, amount_minor, currency, status, session_id,"
    " intent_id, charge_id, url, return_to, failure, refunded_minor, created_at)"
    f" SELECT {_BUYER}, {_BUYER}, 'top_up', 1000, 'CNY', '{{status}}', '', '', '', '', '', '', {{back}}, exchange_now()"
)
# A posting of the story, said to be of the payment: another amount on other accounts.
_OF_A_PAYMENT: Final = (
    f"UPDATE billing_ledgertransaction SET source_type = 'card_payment', source_id = {_BUYER}"
    " WHERE id = (SELECT id FROM billing_ledgertransaction WHERE source_type = 'top_up' ORDER BY id LIMIT 1)"
)
_REFUND: Final = (
    "INSERT INTO billing_cardrefund (id, payment_id, amount_minor, alone_up_to_minor, status, reason, stripe_id,"
    f" failure, created_at) SELECT gen_random_uuid(), {_BUYER}, 500, {{limit}}, '{{status}}', 'x', '', '',"
    " exchange_now()"
)
_DISPUTE: Final = (
    "INSERT INTO billing_carddispute (id, payment_id, stripe_id, amount_minor, currency, reason, status,"
    f" transaction_id, opened_at) SELECT gen_random_uuid(), {_BUYER}, 'dp_1', 1000, 'CNY', 'x', '{{status}}',"
    " (SELECT id FROM billing_ledgertransaction ORDER BY id LIMIT 1), exchange_now()"
)

_RECEIPT: Final = "(SELECT id FROM billing_bankreceipt ORDER BY id LIMIT 1)"
_STATEMENT: Final = (
    "INSERT INTO billing_bankstatement (id, digest, format, file_name, account, reference, currency, entry_count,"
    f" imported_at) SELECT {_BUYER}, repeat('0', 64), 'csv', 'x', 'A', '', 'CNY', {{count}}, exchange_now()"
)
_ENTRY: Final = (
    "INSERT INTO billing_bankentry (id, statement_id, row, account, bank_reference, amount_minor, currency, booked_on,"
    f" value_date, counterparty, counterparty_account, remittance, receipt_id) SELECT gen_random_uuid(), {_BUYER}, 1,"
    " 'A', gen_random_uuid(), {amount}, 'CNY', '2026-05-01', '2026-05-01', 'x', '', '', {receipt}"
)

CORRUPTIONS: Final = (
    corruption(
        "P12", "another amount was received", _STATEMENT.format(count=1), _ENTRY.format(amount=1, receipt=_RECEIPT)
    ),
    corruption(
        "P12", "what came in has no receipt", _STATEMENT.format(count=1), _ENTRY.format(amount=1, receipt="NULL")
    ),
    corruption("P12", "a receipt was split into nothing", one("billing_bankreceipt", "status = 'split'")),
    corruption(
        "P12",
        "a receipt has a part of another sum",
        f"INSERT INTO billing_receiptpart (id, receipt_id, top_up_id, amount_minor) SELECT {_RECEIPT}, {_RECEIPT},"
        " (SELECT id FROM billing_topup ORDER BY id LIMIT 1), 1",
    ),
    corruption(
        "P12",
        "a statement brought more than it has",
        _STATEMENT.format(count=1),
        *[_ENTRY.format(amount=-1, receipt="NULL")] * 2,
    ),
    corruption(
        "P5", "a message waits for 16 minutes", _EVENT.format(age="16 minutes", state="received", handled="NULL")
    ),
    corruption(
        "P5", "a message is processed at no instant", _EVENT.format(age="1 minute", state="processed", handled="NULL")
    ),
    corruption("P5", "a message is stored twice", *[_EVENT.format(age="0", state="received", handled="NULL")] * 2),
    corruption("P9", "a payment has succeeded and is not posted", _PAYMENT.format(status="succeeded", back=0)),
    corruption("P9", "an expired payment is posted", _PAYMENT.format(status="expired", back=0), _OF_A_PAYMENT),
    corruption("P9", "another amount is posted", _PAYMENT.format(status="succeeded", back=0), _OF_A_PAYMENT),
    corruption(
        "P10",
        "more goes back than was captured",
        _PAYMENT.format(status="succeeded", back=1001),
        _REFUND.format(status="requested", limit=0),
    ),
    corruption(
        "P10",
        "a refund is not counted",
        _PAYMENT.format(status="succeeded", back=0),
        _REFUND.format(status="requested", limit=0),
    ),
    corruption(
        "P10",
        "a refund is out and not posted",
        _PAYMENT.format(status="succeeded", back=500),
        _REFUND.format(status="sent", limit=1000),
    ),
    corruption(
        "P10",
        "a large refund came back and one person sent it",
        _PAYMENT.format(status="succeeded", back=0),
        _REFUND.format(status="failed", limit=0),
    ),
    corruption(
        "P11", "a dispute is no loss", _PAYMENT.format(status="succeeded", back=0), _DISPUTE.format(status="open")
    ),
)

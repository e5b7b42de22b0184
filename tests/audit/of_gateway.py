"""Corruptions of what was asked of Stripe. The story asks it nothing, so each writes its own rows."""

from typing import Final

from tests.audit.corruption import corruption

_PROVIDER: Final = "(SELECT id FROM accounts_organisation WHERE can_sell ORDER BY id LIMIT 1)"
_CALL: Final = (
    "INSERT INTO billing_gatewaycall (id, operation, subject_type, subject_id, key, parameters, account, state,"
    " attempts, created_at, first_sent_at, answered_at, object_id, object_url, object_status, refusal_code, refusal)"
    " SELECT gen_random_uuid(), '{operation}', '{subject}', {subject_id}, 'key-{state}', '{parameters}', '', '{state}',"
    " 1, exchange_now() - interval '{age}', exchange_now(), {answered}, '{object}', '', '', '', ''"
)
_ROW: Final = (
    "INSERT INTO billing_balancetransaction (id, stripe_id, amount_minor, fee_minor, net_minor, currency, type,"
    " reporting_category, source_id, description, status, available_on, created_at, pulled_at, payout_id)"
    " SELECT gen_random_uuid(), 'txn_1', {amount}, {fee}, {net}, 'CNY', 'charge', '{category}', 'ch_1', '', '{status}',"
    " exchange_now(), exchange_now(), exchange_now(), ''"
)
_ACCOUNT: Final = (
    "INSERT INTO billing_connectedaccount (id, organisation_id, stripe_id, status, created_at, changed_at)"
    f" SELECT {_PROVIDER}, {_PROVIDER}, 'acct_1', 'enabled', exchange_now(), exchange_now()"
)
_TRANSFER: Final = (
    "INSERT INTO billing_connecttransfer (id, account_id, organisation_id, payout_id, amount_minor, reversed_minor,"
    " currency, status, transfer_stripe_id, payout_stripe_id, failure, created_at, changed_at)"
    f" SELECT {_PROVIDER}, {_PROVIDER}, {_PROVIDER}, gen_random_uuid(), 100, {{back}}, 'CNY', 'sent', 'tr_1', '', '',"
    " exchange_now(), exchange_now()"
)

_OWN: Final = (
    "INSERT INTO billing_stripepayout (id, stripe_id, amount_minor, currency, is_automatic, status, created_at,"
    f" arrives_on, failure) SELECT {_PROVIDER}, 'po_1', 100, 'CNY', true, 'paid', exchange_now(),"
    " exchange_now()::date, ''"
)
_SHOWN: Final = (
    "INSERT INTO billing_bankreceipt (id, bank_reference, amount_minor, currency, value_date, payer, remittance,"
    f" status, stripe_payout_id, recorded_at, matched_at) SELECT {_PROVIDER}, 'S-1', 101, 'CNY',"
    f" exchange_now()::date, 'Stripe', '', 'matched', {_PROVIDER}, exchange_now(), exchange_now()"
)


def _call(operation: str, state: str, *, age: str = "1 minute", made: str = "", amount: int = 1) -> str:
    return _CALL.format(
        operation=operation,
        subject="connect_transfer",
        subject_id=_PROVIDER,
        parameters=f'{{"amount":{amount},"destination":"acct_1"}}',
        state=state,
        age=age,
        answered="exchange_now()" if state == "done" else "NULL",
        object=made,
    )


def _row(amount: int, fee: int, net: int, status: str = "pending", category: str = "charge") -> str:
    return _ROW.format(amount=amount, fee=fee, net=net, status=status, category=category)


CORRUPTIONS: Final = (
    corruption("P3", "nobody knows for 16 minutes what became of a call", _call("refund", "unknown", age="16 minutes")),
    corruption("P3", "an intended call was never made", _call("refund", "intended", age="16 minutes")),
    corruption("P3", "a call is done and made nothing", _call("refund", "done")),
    corruption("P13", "a fee was not posted", _row(1000, 59, 941)),
    corruption("P13", "a net amount is not gross less fee", _row(1000, 0, 999)),
    corruption("P13", "what is available was not posted", _row(1000, 0, 1000, "available")),
    corruption("P8", "a transfer was never asked for", _ACCOUNT, _TRANSFER.format(back=0)),
    corruption(
        "P8", "another amount was sent", _ACCOUNT, _TRANSFER.format(back=0), _call("transfer", "done", made="tr_1")
    ),
    corruption(
        "P8",
        "more was fetched back than sent",
        _ACCOUNT,
        _TRANSFER.format(back=101),
        _call("transfer", "done", made="tr_1", amount=100),
    ),
    corruption("P14", "a payout of Stripe is paid and was not posted", _OWN),
    corruption("P14", "a receipt is matched with a payout of another amount", _OWN,
               "UPDATE billing_stripepayout SET status = 'pending'", _SHOWN),
)  # fmt: skip

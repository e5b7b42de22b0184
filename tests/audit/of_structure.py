"""Corruptions of what every table has: its guards, its numbers, its times, its trail, its owners."""

from typing import Final

from tests.audit.corruption import again, corruption, lost, one

_OTHER_ORGANISATION: Final = "(SELECT id FROM accounts_organisation WHERE can_operate)"
_ANSWER: Final = (
    "INSERT INTO accounts_idempotencyrecord"
    " (id, organisation_id, key, request_hash, method, path, status_code, response, created_at)"
    " SELECT gen_random_uuid(), id, 'key', 'x', 'POST', '/', {status}, '', created_at"
    " FROM accounts_organisation ORDER BY id LIMIT 1"
)

# Each is a change of rows, made where no guard refuses it.
CORRUPTIONS: Final = (
    corruption("L7", "a record was rewritten", one("accounts_auditrecord", "text = text || ' '")),
    corruption("L7", "a record was taken out", lost("accounts_auditrecord")),
    corruption("L7", "a link was taken out", lost("accounts_auditlink", key="record_id")),
    corruption("L7", "a record was written past the chain", again("accounts_auditrecord")),
    corruption("L7", "a hash was rewritten", one("accounts_auditlink", "hash = sha256(hash)", key="record_id")),
    corruption("L7", "links changed places", one("accounts_auditlink", "n = n + 100", key="record_id")),
    corruption("L7", "the end of a chain was cut off", one("accounts_auditchain", "n = n + 1", key="shard")),
    corruption(
        "L7", "a head was rewritten", one("accounts_auditchain", "hash = sha256(hash)", where="n > 0", key="shard")
    ),
    corruption("L10", "a quantity is not a number", one("billing_invoiceline", "quantity = 'NaN'")),
    corruption("L10", "a rating is not a number", one("catalog_offering", "rated_tflops = 'NaN'")),
    corruption(
        "S2", "an order is for somebody else's project", one("exchange_order", f"buyer_id = {_OTHER_ORGANISATION}")
    ),
    corruption("S2", "an order is in another currency than its hold", one("exchange_order", "currency = 'USD'")),
    corruption(
        "S2", "a contract is for somebody else's project", one("billing_contract", f"buyer_id = {_OTHER_ORGANISATION}")
    ),
    corruption(
        "S2", "an offer is of somebody else's offering", one("exchange_offer", f"provider_id = {_OTHER_ORGANISATION}")
    ),
    corruption(
        "S2",
        "a contract is over somebody else's offering",
        one("catalog_offering", f"provider_id = {_OTHER_ORGANISATION}"),
    ),
    corruption("S2", "a lease is for somebody else", one("exchange_lease", f"buyer_id = {_OTHER_ORGANISATION}")),
    corruption(
        "S2",
        "a lease is measured for another contract",
        one("billing_meteringpoint", "contract_id = gen_random_uuid()"),
    ),
    corruption(
        "S2", "an invoice goes to somebody else", one("billing_invoice", f"organisation_id = {_OTHER_ORGANISATION}")
    ),
    corruption("S4", "a key has two answers", _ANSWER.format(status=201), _ANSWER.format(status=201)),
    corruption("S4", "an error of the server is kept as an answer", _ANSWER.format(status=500)),
    corruption("S5", "an instant is in the year 2300", one("billing_topup", "created_at = '2300-01-01Z'")),
    corruption("S5", "an instant is before the exchange", one("accounts_job", "created_at = '1999-12-31Z'")),
    corruption("S5", "a lease never ends", one("exchange_lease", "ends_at = 'infinity'")),
    corruption("O2", "a piece of work has two jobs", again("accounts_job")),
    corruption(
        "O2", "a job waits since days", one("accounts_job", "state = 'pending', due_at = due_at - interval '9 days'")
    ),
    corruption("O2", "a job gave up", one("accounts_job", "state = 'parked'")),
)

# Each is a change of the schema or of rights, made where everything else stands.
DISARMED: Final = (
    corruption("L6", "a trigger is gone", "DROP TRIGGER billing_ledgerentry_no_change ON billing_ledgerentry"),
    corruption("L6", "nothing refuses TRUNCATE", "DROP TRIGGER exchange_trade_no_truncate ON exchange_trade"),
    corruption(
        "L6", "a partition may be emptied", "DROP TRIGGER billing_usageevent_p3_no_truncate ON billing_usageevent_p3"
    ),
    corruption("L6", "a trigger is disabled", "ALTER TABLE billing_charge DISABLE TRIGGER billing_charge_no_change"),
    corruption(
        "L6",
        "a trigger lets some rows through",
        "DROP TRIGGER accounts_auditrecord_no_change ON accounts_auditrecord",
        "CREATE TRIGGER accounts_auditrecord_no_change BEFORE UPDATE OR DELETE ON accounts_auditrecord"
        " FOR EACH ROW WHEN (OLD.action = 'x') EXECUTE FUNCTION forbid_change()",
    ),
    corruption("L6", "the application may update", "GRANT UPDATE ON exchange_roundoutcome TO {application}"),
    corruption(
        "L6", "the application may update one column", "GRANT UPDATE (text) ON accounts_auditrecord TO {application}"
    ),
    corruption("L6", "the application may delete", "GRANT DELETE ON billing_billedcharge TO {application}"),
    corruption("L6", "the application may forge links", "GRANT INSERT ON accounts_auditlink TO {application}"),
    corruption(
        "L10", "a column holds binary fractions", "ALTER TABLE billing_charge ADD COLUMN price double precision"
    ),
    corruption("L10", "a column holds unbounded decimals", "ALTER TABLE billing_charge ADD COLUMN price numeric"),
    corruption("L10", "money is a fraction", "ALTER TABLE billing_topup ALTER COLUMN amount_minor TYPE numeric(20, 2)"),
    corruption("S1", "a status moves freely", "DROP TRIGGER exchange_order_status_moves ON exchange_order"),
    corruption(
        "S1",
        "a status's moves are not looked at",
        "ALTER TABLE billing_invoice DISABLE TRIGGER billing_invoice_status_moves",
    ),
    corruption("S1", "a new status has no moves", "ALTER TABLE billing_charge ADD COLUMN status varchar(8)"),
)

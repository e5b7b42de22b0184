"""Corruptions of usage, charges, invoices and statements."""

from typing import Final

from tests.audit.corruption import again, corruption, lost, one

_INVOICE: Final = "side = 'customer'"
_DECLINED: Final = (
    "INSERT INTO billing_usageconflict (id, organisation_id, source, event_id, payload, payload_hash, received_at)"
    " SELECT gen_random_uuid(), organisation_id, source, {event}, {payload}, {hash}, received_at"
    " FROM billing_usageevent ORDER BY id LIMIT 1"
)
_VOUCHER: Final = (
    "INSERT INTO billing_voucher (id, organisation_id, code, currency, value_minor, used_minor, meters, resources,"
    " valid_from, valid_to, issued_at)"
    " SELECT gen_random_uuid(), organisation_id, 'V', currency, 10, {used}, '[]', '[]',"
    " created_at, created_at + interval '1 day', created_at FROM billing_invoice ORDER BY id LIMIT 1"
)

CORRUPTIONS: Final = (
    corruption(
        "U1",
        "an event is accepted twice",
        "ALTER TABLE billing_usageevent DROP CONSTRAINT billing_usageevent_pkey",
        again("billing_usageevent"),
    ),
    corruption("U1", "the payload of an event was rewritten", one("billing_usageevent", "payload = payload || ' '")),
    corruption("U2", "an event was never rated", lost("billing_charge", where="usage_event_id IS NOT NULL")),
    corruption(
        "U2",
        "a charge comes from nowhere",
        one("billing_charge", "usage_event_id = gen_random_uuid()", where="usage_event_id IS NOT NULL"),
    ),
    corruption(
        "U8", "an event was forgotten before it was rated", lost("billing_charge", where="usage_event_id IS NOT NULL")
    ),
    corruption(
        "U3",
        "a segment begins before its lease",
        one("billing_allocationsegment", "starts_at = starts_at - interval '12 hours'"),
    ),
    corruption("U3", "two segments overlap", again("billing_allocationsegment")),
    corruption(
        "U3",
        "more is rated than was agreed",
        one("billing_charge", "raw_quantity = raw_quantity * 100", where="slot_id IS NOT NULL"),
    ),
    corruption(
        "U4",
        "a charge is older than what it is billed on",
        one("billing_charge", "rated_at = rated_at + interval '1 hour'"),
    ),
    corruption(
        "U4",
        "an event came in after its invoice",
        one("billing_usageevent", "received_at = received_at + interval '2 days'"),
    ),
    corruption(
        "U4", "a charge of the next period is billed", one("billing_charge", "ends_at = ends_at + interval '2 days'")
    ),
    corruption(
        "U4",
        "a charge is billed under another contract",
        "UPDATE billing_charge SET contract_id = (SELECT id FROM billing_contract ORDER BY id LIMIT 1)",
    ),
    corruption(
        "U5",
        "a conflict with an event that was never accepted",
        _DECLINED.format(event="'never'", payload="'{}'", hash="encode(sha256('{}'), 'hex')"),
    ),
    corruption(
        "U5",
        "a conflict with the same payload",
        _DECLINED.format(event="event_id", payload="payload", hash="payload_hash"),
    ),
    corruption(
        "U5",
        "the payload of a conflict was rewritten",
        _DECLINED.format(event="event_id", payload="'{ }'", hash="encode(sha256('{}'), 'hex')"),
    ),
    corruption(
        "U5",
        "the payload of a declined item was rewritten",
        "INSERT INTO billing_usagerejection"
        " (id, organisation_id, code, detail, pointer, payload, payload_hash, received_at)"
        " SELECT gen_random_uuid(), organisation_id, 'x', 'x', '', '{ }', encode(sha256('{}'), 'hex'), received_at"
        " FROM billing_usageevent ORDER BY id LIMIT 1",
    ),
    corruption(
        "U6",
        "an event is from the future",
        one("billing_usageevent", "occurred_at = received_at + interval '6 minutes'"),
    ),
    corruption(
        "U6",
        "an event is too old",
        one("billing_usageevent", "starts_at = starts_at - interval '40 days', ends_at = ends_at - interval '40 days'"),
    ),
    corruption("U6", "an event ends before it starts", one("billing_usageevent", "ends_at = starts_at")),
    corruption(
        "U7",
        "less is charged by a tariff than was measured",
        one("billing_charge", "kind = 'measured'", where="kind = 'metered'"),
    ),
    corruption(
        "U7",
        "a minimum is charged below zero",
        "INSERT INTO billing_charge (id, contract_id, n, kind, offering_id, unit, price_micros, base_quantity,"
        " raw_quantity, raw_per_unit, starts_at, ends_at, rated_at)"
        " SELECT gen_random_uuid(), contract_id, 0, 'minimum', offering_id, 'egress_gb', 1000000, 1, -1, 100,"
        " starts_at, ends_at, rated_at FROM billing_charge ORDER BY id LIMIT 1",
    ),
    corruption("V1", "a voucher is used without a use", _VOUCHER.format(used=5)),
    corruption(
        "V1",
        "a use is on no document",
        _VOUCHER.format(used=5),
        "INSERT INTO billing_voucheruse (id, voucher_id, source_type, source_id, amount_minor, used_at)"
        " SELECT gen_random_uuid(), id, 'invoice', gen_random_uuid(), 5, issued_at FROM billing_voucher",
    ),
    corruption(
        "V1",
        "a document took a voucher that nobody used",
        one("billing_invoiceline", "kind = 'voucher'", where="kind = 'fee'"),
    ),
    corruption("I1", "a number is missing", one("billing_invoice", "n = n + 1", where="side = 'customer' AND n = 2")),
    corruption("I1", "a number is taken twice", one("billing_invoice", "n = 1", where="side = 'customer' AND n = 2")),
    corruption("I1", "an invoice is lost", lost("billing_invoice", where="side = 'customer' AND n = 2")),
    corruption("I1", "a counter is ahead", one("billing_invoicecounter", "last = last + 1")),
    corruption("I1", "a counter is lost", lost("billing_invoicecounter")),
    corruption("I6", "lines of a day are not counted", one("billing_billedday", "lines = lines - 1")),
    corruption("I6", "a day of a party is lost", lost("billing_billedday")),
    corruption(
        "I6",
        "a document was issued while its party was parked",
        "INSERT INTO billing_parking (id, organisation_id, side, contract_id, currency, total_minor, lines, breaches,"
        " takes_two, parked_at, reason) SELECT gen_random_uuid(), organisation_id, side, contract_id, currency, 1, 1,"
        " '[]', false, created_at - interval '1 hour', '' FROM billing_invoice WHERE side = 'customer' LIMIT 1",
    ),
    corruption("I1", "a series is another entity's", one("billing_invoiceseries", "entity = entity || ' Ltd'")),
    corruption(
        "I1",
        "numbers are not in the order of issue",
        one("billing_invoice", "issued_at = issued_at - interval '1 hour'", where="n = 2"),
    ),
    corruption("I2", "a total is a fen too high", one("billing_invoice", "total_minor = total_minor + 1")),
    corruption("I2", "a net is a fen too high", one("billing_invoice", "net_minor = net_minor + 1")),
    corruption("I2", "a line is lost", lost("billing_invoiceline")),
    corruption("I2", "a tax is lost", lost("billing_invoicetax")),
    corruption(
        "I2",
        "an invoice was not posted",
        one("billing_ledgertransaction", "purpose = 'other'", where="source_type = 'invoice'"),
    ),
    corruption(
        "I2",
        "a statement was posted with more",
        one(
            "billing_ledgerentry",
            "amount_minor = amount_minor - 1",
            where="account_id IN (SELECT id FROM billing_account WHERE code = '2100')",
        ),
    ),
    corruption(
        "I3",
        "a line is not its quantity at its price",
        one("billing_invoiceline", "amount_minor = amount_minor + 1", where="price_micros IS NOT NULL"),
    ),
    # The amounts stay as they are: in a currency of no or of three decimals they are other coins.
    *(
        corruption(
            "I3",
            f"a line was priced in the coins of another currency than {currency}",
            f"UPDATE billing_invoice SET currency = '{currency}'",
        )
        for currency in ("KRW", "KWD")
    ),
    corruption(
        "I3",
        "a fee is not its share",
        one("billing_invoiceline", "amount_minor = amount_minor + 1", where="share_ppm IS NOT NULL"),
    ),
    corruption("I3", "a tax is not its rate", one("billing_invoicetax", "tax_minor = tax_minor + 1")),
    corruption("I3", "a tax is not on its lines", one("billing_invoicetax", "base_minor = base_minor + 1")),
    corruption("I4", "a charge is billed twice", again("billing_billedcharge")),
    corruption("I4", "a charge is never billed", lost("billing_billedcharge")),
    corruption("I5", "more is paid than owed", one("billing_invoice", "paid_minor = total_minor + 1", where=_INVOICE)),
    corruption(
        "I5",
        "what is paid was also written off",
        one("billing_invoice", "written_off_minor = 1", where="paid_minor > 0"),
    ),
    corruption(
        "I5",
        "more is said to be credited than notes give back",
        one("billing_invoice", "credited_minor = 1, paid_minor = paid_minor - 1", where=_INVOICE),
    ),
    corruption(
        "I5",
        "a claim was given up by nobody",
        one("billing_invoice", "written_off_minor = 1, paid_minor = paid_minor - 1", where=_INVOICE),
    ),
    corruption(
        "I7",
        "a dispute was upheld and nothing credited",
        "INSERT INTO billing_invoicedispute (id, invoice_id, reason, opened_by, opened_at, resolution,"
        " resolution_reason, resolved_by, resolved_at) SELECT gen_random_uuid(), id, 'x', 'x', issued_at, 'upheld',"
        " 'x', 'x', issued_at FROM billing_invoice WHERE side = 'customer' ORDER BY id LIMIT 1",
    ),
    corruption("I5", "a dispute that nobody opened", one("billing_invoice", "status = 'disputed'", where=_INVOICE)),
    corruption("I5", "a settled contract holds funds", one("billing_contract", "held_minor = 1")),
    corruption(
        "I5", "contracts hold more than their hold", "UPDATE billing_contract SET held_minor = 1, status = 'active'"
    ),
)

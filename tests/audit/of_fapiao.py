"""Corruptions of fapiao: of one over the story's first invoice, written down as if it had been issued."""

from typing import Final

from tests.audit.corruption import corruption, one

_FIRST: Final = "FROM billing_invoice WHERE side = 'customer' AND total_minor > 0 ORDER BY id LIMIT 1"
_ROWS: Final = (
    (
        "INSERT INTO billing_fapiaotitle (id, organisation_id, name, tax_id, address, phone, bank_name, bank_account,"
        f" created_at) SELECT id, organisation_id, 'x', '', '', '', '', '', issued_at {_FIRST}"
    ),
    (
        "INSERT INTO billing_fapiao (id, organisation_id, title_id, kind, red_cause, reason, seller_name, seller_tax_id"
        ", currency, net_minor, tax_minor, total_minor, requested_by, requested_at, status, refusal, number, issued_on,"
        " file_url, file_sha256, recorded_by, recorded_at, reversed_minor)"
        " SELECT id, organisation_id, id, 'ordinary', '', '', seller ->> 'legal_name', seller ->> 'tax_id', currency,"
        " net_minor, tax_minor, total_minor, 'x', issued_at, 'issued', '', '12345678901234567890',"
        f" issued_at::date, '', '', 'x', issued_at, 0 {_FIRST}"
    ),
    (
        "INSERT INTO billing_fapiaopart (id, fapiao_id, document_id, tax_minor, total_minor, is_live)"
        f" SELECT id, id, id, tax_minor, total_minor, true {_FIRST}"
    ),
    (
        "INSERT INTO billing_fapiaotax (id, fapiao_id, category, rate_ppm, base_minor, tax_minor)"
        " SELECT t.id, f.id, t.category, t.rate_ppm, t.base_minor, t.tax_minor"
        " FROM billing_fapiao f JOIN billing_invoicetax t ON t.invoice_id = f.id"
    ),
)
_RED: Final = (
    "INSERT INTO billing_fapiao SELECT (jsonb_populate_record(f, jsonb_build_object('id', gen_random_uuid(),"
    " 'red_of_id', f.id, 'red_cause', 'credit_note', 'reason', 'x', 'total_minor', -1, 'net_minor', -1,"
    " 'tax_minor', 0, 'number', '22345678901234567890'))).* FROM billing_fapiao f"
)

CORRUPTIONS: Final = (
    corruption("F1", "a fapiao is a fen more", *_ROWS, one("billing_fapiao", "total_minor = total_minor + 1")),
    corruption("F1", "a part is a fen less", *_ROWS, one("billing_fapiaopart", "total_minor = total_minor - 1")),
    corruption("F1", "a tax has another rate", *_ROWS, one("billing_fapiaotax", "rate_ppm = rate_ppm + 1")),
    corruption("F1", "a fapiao is over nothing", *_ROWS, "DELETE FROM billing_fapiaopart"),
    corruption(
        "F2",
        "an invoice is on two fapiao",
        *_ROWS,
        "INSERT INTO billing_fapiaopart (id, fapiao_id, document_id, tax_minor, total_minor, is_live)"
        " SELECT gen_random_uuid(), fapiao_id, document_id, tax_minor, total_minor, true FROM billing_fapiaopart",
    ),
    corruption("F2", "a refused one holds its invoice", *_ROWS, one("billing_fapiao", "status = 'refused'")),
    corruption(
        "F2", "one asked for does not hold its invoice", *_ROWS, one("billing_fapiao", "status = 'requested'"),
        one("billing_fapiaopart", "is_live = false"),
    ),
    corruption("F2", "it is another buyer's", *_ROWS, one("billing_fapiao", "organisation_id = gen_random_uuid()")),
    corruption("F2", "it is another seller's", *_ROWS, one("billing_fapiao", "seller_tax_id = 'other'")),
    corruption("F3", "an issued one lets its invoice go", *_ROWS, one("billing_fapiaopart", "is_live = false")),
    corruption("F3", "what a red letter took back is not noted", *_ROWS, _RED),
    corruption("F3", "it is said to be reversed", *_ROWS, one("billing_fapiao", "status = 'reversed'")),
    corruption("F3", "it has no number", *_ROWS, one("billing_fapiao", "number = ''")),
    corruption(
        "F3", "two have one number", *_ROWS, _RED, "UPDATE billing_fapiao SET number = '12345678901234567890'"
    ),
)  # fmt: skip

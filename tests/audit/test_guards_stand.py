"""The guards that the promises rest on are there, by name, on their tables, and switched on.

Dropping one of them is a decision: it is taken off this list in the same change, with the reason.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.db import connection

from tests.audit.triggers import TRIGGERS

pytestmark = pytest.mark.django_db

CONSTRAINTS: Final[dict[str, tuple[str, ...]]] = {
    "billing_walletlanding": ("wallet_landing_dates_of_its_stage", "wallet_landing_not_before_its_time"),
    "accounts_auditlink": ("audit_link_place_once", "audit_link_counts_from_one"),
    "accounts_idempotencyrecord": ("idempotency_key_once", "idempotency_answer_is_final"),
    "accounts_job": ("job_once", "job_state_known", "job_lease_while_running", "job_finished_when_done"),
    "accounts_legalentity": ("legal_entity_one_at_a_time",),
    "billing_account": (
        "account_is_unique",
        "account_only_wallets_hold",
        "account_amounts_not_negative",
        "wallet_covers_its_holds",
    ),
    "billing_allocationsegment": ("allocation_segment_one_at_a_time",),
    "billing_bankentry": ("bank_entry_once", "bank_entry_that_came_in_has_its_receipt"),
    "billing_bankstatement": ("billing_bankstatement_digest_key",),
    "billing_accountingperiod": ("period_closed_by_somebody", "period_closed_after_its_end"),
    "billing_billedcharge": ("billed_charge_once_a_side",),
    "billing_cardpayment": (
        "card_payment_purpose_has_its_invoice",
        "card_payment_refunded_within_captured",
        "card_payment_succeeded_is_posted",
    ),
    "billing_cardrefund": ("refund_above_the_limit_takes_two", "refund_sent_is_posted"),
    "billing_charge": ("charge_once_per_event", "charge_negative_only_reverses", "charge_quantity_is_a_number"),
    "billing_break": ("break_resolved_by_somebody_with_a_reason", "break_settled_by_a_journal"),
    "billing_contract": (
        "contract_held_within_share",
        "contract_one_per_source_and_provider",
        "contract_parties_differ",
        "contract_settled_holds_nothing",
    ),
    "billing_contractslot": ("contract_slot_one_at_a_time",),
    "billing_creditlimitchange": ("credit_change_takes_two_people", "credit_change_decided_by_somebody"),
    "billing_projectbudget": ("project_budget_never_overshot", "project_budget_once"),
    "billing_hold": ("hold_accounts_for_everything", "hold_closes_when_empty", "hold_once_per_source"),
    "billing_holdevent": ("hold_captured_once_per_transaction", "hold_event_has_its_place"),
    "billing_invoice": (
        "invoice_not_paid_beyond_total",
        "invoice_number_once",
        "invoice_numbered_when_issued",
        "invoice_place_in_contract",
        "invoice_total_is_net_and_tax",
    ),
    "billing_invoicecounter": ("invoice_counter_once",),
    "billing_invoiceseries": ("invoice_series_of_one_entity", "invoice_series_once_an_entity"),
    "billing_billbound": ("bill_bound_in_range", "bill_bound_once"),
    "billing_billedday": ("billed_day_once",),
    "billing_parking": ("parking_asked_with_a_reason", "parking_release_takes_two", "parking_released_by_somebody"),
    "billing_writeoff": ("write_off_once", "write_off_takes_two_people"),
    "billing_invoiceline": ("invoice_line_place", "invoice_line_price_or_share"),
    "billing_invoicetax": ("invoice_tax_once_a_rate",),
    "billing_ledgerentry": (
        "entry_has_its_place",
        "entry_in_its_accounts_currency",
        "entry_moves_something",
        "entry_once_per_account",
    ),
    "billing_ledgertransaction": (
        "billing_ledgertransaction_reversal_of_id_key",
        "transaction_names_its_source",
        "transaction_once_per_source",
    ),
    "billing_manualjournal": ("journal_takes_two_people", "journal_posted_has_its_transaction"),
    "billing_payout": (
        "payout_above_limit_takes_two_people",
        "payout_approver_is_another",
        "payout_sent_somewhere",
        "payout_to_its_owners_account",
        "payout_waits_after_a_change",
    ),
    "billing_providerbalance": ("payouts_within_payable",),
    "billing_periodreopening": ("reopening_takes_two_people", "reopening_decided_by_somebody"),
    "billing_statementrelease": ("billing_statementrelease_statement_id_key", "release_waits_for_its_deadline"),
    "billing_taxrate": ("tax_rate_one_at_a_time",),
    "billing_topup": ("top_up_takes_two_people", "top_up_amount_in_range"),
    "billing_usageevent": ("billing_usageevent_pkey", "usage_event_neither_early_nor_old"),
    "billing_usagereversal": ("billing_usagereversal_pkey",),
    "exchange_capacityslot": (
        "exchange_capacity_never_oversold",
        "exchange_capacity_not_negative",
        "exchange_capacity_one_row_per_hour",
    ),
    "exchange_deliveredsegment": ("delivered_segment_one_at_a_time",),
    "exchange_lease": ("lease_one_at_a_time", "lease_has_two_parties"),
    "exchange_offer": ("exchange_offer_hours_add_up", "exchange_offer_seq_key"),
    "exchange_offerslot": ("exchange_offerslot_never_oversold", "exchange_offerslot_one_row_per_hour"),
    "exchange_order": (
        "exchange_order_hold_id_key",
        "exchange_order_hours_add_up",
        "exchange_order_seq_key",
    ),
    "exchange_quote": (
        "exchange_quote_hold_id_key",
        "quote_accepted_holds_funds",
        "quote_accepted_in_time",
        "quote_expired_in_time",
        "quote_within_its_budget",
    ),
    "exchange_quoteline": ("quote_line_once",),
    "exchange_quotepart": ("quote_part_once", "quote_part_pays_the_reserve"),
    "exchange_indication": ("indication_once_a_place",),
    "exchange_orderodds": ("order_odds_once", "order_odds_within_what_is_wanted"),
    "exchange_round": ("round_once_per_gate",),
    "exchange_roundorder": ("round_order_once",),
    "exchange_roundoutcome": ("exchange_roundoutcome_pkey", "outcome_bound_holds"),
    "exchange_trade": (
        "trade_has_two_parties",
        "trade_of_a_round_or_a_quote",
        "trade_once",
        "trade_once_per_quote",
        "trade_pays_the_reserve",
        "trade_within_the_limit",
    ),
    "exchange_roundvoidrequest": ("void_request_takes_two_people",),
}

UNIQUE_INDEXES: Final[dict[str, tuple[str, ...]]] = {
    "accounts_organisation": ("organisation_one_operator",),
    "billing_break": ("break_open_once",),
    "billing_charge": ("charge_gap_once",),
    "billing_creditlimitchange": ("credit_change_one_waits",),
    "billing_fapiao": ("fapiao_number_once",),
    "billing_fapiaopart": ("fapiao_one_lives_a_document",),
    "billing_holdevent": ("hold_placed_once", "hold_released_once"),
    "billing_invoice": ("invoice_number_text_once", "invoice_one_a_month", "invoice_one_at_contract_end"),
    "billing_payout": ("payout_one_accruing",),
    "billing_payoutdestination": ("payout_destination_one_at_a_time",),
    "billing_payoutitem": ("payout_item_paid_once",),
    "billing_periodreopening": ("reopening_one_at_a_time",),
    "billing_policychange": ("policy_change_waits_once",),
    "billing_walletlanding": ("wallet_landing_one_at_a_time",),
    "exchange_round": ("round_one_in_progress",),
    "exchange_roundorder": ("round_order_locked_once",),
    "exchange_roundvoidrequest": ("void_request_one_at_a_time",),
}


def pairs(guards: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str]]:
    return ((table, name) for table, names in guards.items() for name in names)


def standing(query: str) -> set[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return set(cursor.fetchall())


def test_the_triggers_stand_and_are_switched_on() -> None:
    found = standing(
        """
        SELECT c.relname, tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE NOT tgisinternal AND tgenabled IN ('O', 'A') AND c.relnamespace = 'public'::regnamespace
        """
    )
    assert set(pairs(TRIGGERS)) - found == set()


def test_the_constraints_stand_and_hold_for_every_row() -> None:
    found = standing(
        """
        SELECT c.relname, conname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE convalidated AND c.relnamespace = 'public'::regnamespace
        """
    )
    assert set(pairs(CONSTRAINTS)) - found == set()


def test_the_unique_indexes_stand() -> None:
    found = standing(
        """
        SELECT c.relname, x.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
        JOIN pg_class x ON x.oid = i.indexrelid
        WHERE indisunique AND indisvalid AND c.relnamespace = 'public'::regnamespace
        """
    )
    assert set(pairs(UNIQUE_INDEXES)) - found == set()


def test_the_sum_of_a_transaction_is_checked_at_its_commit() -> None:
    found = standing(
        """
        SELECT tgname, tgdeferrable AND tginitdeferred FROM pg_trigger
        WHERE tgname IN ('billing_ledgertransaction_check', 'billing_ledgerentry_check', 'billing_invoice_adds_up')
        """
    )
    assert found == {
        ("billing_ledgertransaction_check", True),
        ("billing_ledgerentry_check", True),
        ("billing_invoice_adds_up", True),
    }


def test_usage_is_partitioned_by_hash_with_a_key_of_three_parts() -> None:
    found = standing(
        """
        SELECT pg_get_partkeydef('billing_usageevent'::regclass),
            (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'billing_usageevent_pkey')
        """
    )
    ((partitioned, key),) = found
    assert partitioned.startswith("HASH")
    assert key == "PRIMARY KEY (organisation_id, source, event_id)"

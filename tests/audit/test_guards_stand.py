"""The guards that the promises rest on are there, by name, on their tables, and switched on.

Dropping one of them is a decision: it is taken off this list in the same change, with the reason.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db

TRIGGERS: Final[dict[str, tuple[str, ...]]] = {
    "accounts_auditlink": ("accounts_auditlink_no_change", "accounts_auditlink_no_truncate"),
    "accounts_auditrecord": (
        "accounts_auditrecord_link",
        "accounts_auditrecord_no_change",
        "accounts_auditrecord_no_truncate",
    ),
    "accounts_event": ("accounts_event_no_change", "accounts_event_no_truncate"),
    "accounts_job": ("accounts_job_state_moves",),
    "accounts_organisation": ("accounts_organisation_status_moves",),
    "billing_account": ("billing_account_guard", "billing_account_no_delete", "billing_account_no_truncate"),
    "billing_accountingperiod": (
        "billing_accountingperiod_keeps_its_month",
        "billing_accountingperiod_reopened",
        "billing_accountingperiod_status_moves",
        "billing_accountingperiod_stays",
    ),
    "billing_allocationsegment": (
        "billing_allocationsegment_in_its_point",
        "billing_allocationsegment_is_reversed_once",
        "billing_allocationsegment_keeps_its_bounds",
        "billing_allocationsegment_stays",
    ),
    "billing_balancetransaction": (
        "billing_balancetransaction_keeps_its_figures",
        "billing_balancetransaction_status_moves",
        "billing_balancetransaction_stays",
    ),
    "billing_bankentry": ("billing_bankentry_no_change", "billing_bankentry_no_truncate"),
    "billing_bankreceipt": ("billing_bankreceipt_status_moves",),
    "billing_bankstatement": ("billing_bankstatement_no_change", "billing_bankstatement_no_truncate"),
    "billing_billedcharge": (
        "billing_billedcharge_no_change",
        "billing_billedcharge_no_truncate",
        "billing_billedcharge_of_a_draft",
    ),
    "billing_carddispute": (
        "billing_carddispute_keeps_its_terms",
        "billing_carddispute_status_moves",
        "billing_carddispute_stays",
    ),
    "billing_cardpayment": (
        "billing_cardpayment_keeps_its_terms",
        "billing_cardpayment_status_moves",
        "billing_cardpayment_stays",
    ),
    "billing_cardrefund": (
        "billing_cardrefund_keeps_its_terms",
        "billing_cardrefund_status_moves",
        "billing_cardrefund_stays",
    ),
    "billing_break": (
        "billing_break_is_resolved_once",
        "billing_break_keeps_its_subject",
        "billing_break_settled",
        "billing_break_status_moves",
        "billing_break_stays",
    ),
    "billing_breaknote": ("billing_breaknote_no_change", "billing_breaknote_no_truncate"),
    "billing_charge": (
        "billing_charge_no_change",
        "billing_charge_no_truncate",
        "billing_charge_of_its_contract",
    ),
    "billing_connectedaccount": ("billing_connectedaccount_status_moves",),
    "billing_connecttransfer": (
        "billing_connecttransfer_keeps_its_terms",
        "billing_connecttransfer_status_moves",
        "billing_connecttransfer_stays",
    ),
    "billing_contract": (
        "billing_contract_keeps_its_terms",
        "billing_contract_status_moves",
        "billing_contract_stays",
    ),
    "billing_contractslot": ("billing_contractslot_no_change", "billing_contractslot_no_truncate"),
    "billing_creditlimitchange": (
        "billing_creditlimitchange_keeps_its_terms",
        "billing_creditlimitchange_status_moves",
    ),
    "billing_fapiao": (
        "billing_fapiao_adds_up",
        "billing_fapiao_is_recorded_once",
        "billing_fapiao_keeps_what_was_asked",
        "billing_fapiao_status_moves",
        "billing_fapiao_stays",
    ),
    "billing_fapiaocall": (
        "billing_fapiaocall_keeps_what_is_sent",
        "billing_fapiaocall_state_moves",
        "billing_fapiaocall_stays",
    ),
    "billing_fapiaopart": (
        "billing_fapiaopart_adds_up",
        "billing_fapiaopart_keeps_its_amounts",
        "billing_fapiaopart_lives_once",
        "billing_fapiaopart_stays",
    ),
    "billing_fapiaotax": (
        "billing_fapiaotax_adds_up",
        "billing_fapiaotax_no_change",
        "billing_fapiaotax_no_truncate",
    ),
    "billing_fapiaotitle": (
        "billing_fapiaotitle_is_ended_once",
        "billing_fapiaotitle_keeps_what_it_says",
        "billing_fapiaotitle_stays",
    ),
    "billing_projectbudget": ("billing_projectbudget_guard",),
    "billing_gatewaycall": (
        "billing_gatewaycall_keeps_what_was_asked",
        "billing_gatewaycall_state_moves",
        "billing_gatewaycall_stays",
    ),
    "billing_hold": ("billing_hold_guard", "billing_hold_no_delete", "billing_hold_no_truncate"),
    "billing_holdevent": (
        "billing_holdevent_apply",
        "billing_holdevent_counts_in_budget",
        "billing_holdevent_no_change",
        "billing_holdevent_no_truncate",
        "billing_holdevent_of_an_open_wallet",
    ),
    "billing_invoice": (
        "billing_invoice_adds_up",
        "billing_invoice_credited_is_its_notes",
        "billing_invoice_in_its_series",
        "billing_invoice_is_final",
        "billing_invoice_not_while_parked",
        "billing_invoice_status_moves",
        "billing_invoice_stays",
    ),
    "billing_invoicecounter": (
        "billing_invoicecounter_counts_by_one",
        "billing_invoicecounter_gives_every_number",
        "billing_invoicecounter_stays",
    ),
    "billing_invoicedispute": (
        "billing_invoicedispute_is_resolved_once",
        "billing_invoicedispute_keeps_its_reason",
        "billing_invoicedispute_stays",
    ),
    "billing_invoiceseries": ("billing_invoiceseries_no_change", "billing_invoiceseries_no_truncate"),
    "billing_invoiceline": (
        "billing_invoiceline_no_change",
        "billing_invoiceline_no_truncate",
        "billing_invoiceline_of_a_draft",
    ),
    "billing_invoicetax": (
        "billing_invoicetax_no_change",
        "billing_invoicetax_no_truncate",
        "billing_invoicetax_of_a_draft",
    ),
    "billing_billbound": ("billing_billbound_no_change", "billing_billbound_no_truncate"),
    "billing_parking": (
        "billing_parking_is_asked_once",
        "billing_parking_is_released_once",
        "billing_parking_keeps_its_reason",
        "billing_parking_stays",
    ),
    "billing_journalline": ("billing_journalline_no_change", "billing_journalline_no_truncate"),
    "billing_ledgerentry": (
        "billing_ledgerentry_apply",
        "billing_ledgerentry_check",
        "billing_ledgerentry_no_change",
        "billing_ledgerentry_no_truncate",
    ),
    "billing_ledgertransaction": (
        "billing_ledgertransaction_check",
        "billing_ledgertransaction_in_open_period",
        "billing_ledgertransaction_no_change",
        "billing_ledgertransaction_no_truncate",
        "billing_ledgertransaction_stamp",
    ),
    "billing_manualjournal": (
        "billing_manualjournal_keeps_its_terms",
        "billing_manualjournal_posted",
        "billing_manualjournal_status_moves",
        "billing_manualjournal_stays",
    ),
    "billing_meteringpoint": (
        "billing_meteringpoint_closes_once",
        "billing_meteringpoint_keeps_its_bounds",
        "billing_meteringpoint_stays",
    ),
    "billing_payout": (
        "billing_payout_apply",
        "billing_payout_is_its_items",
        "billing_payout_keeps_its_amount",
        "billing_payout_starts_accruing",
        "billing_payout_status_moves",
        "billing_payout_stays",
    ),
    "billing_payoutdestination": (
        "billing_payoutdestination_is_replaced_once",
        "billing_payoutdestination_keeps_its_terms",
        "billing_payoutdestination_stays",
    ),
    "billing_payoutitem": (
        "billing_payoutitem_fits",
        "billing_payoutitem_given_on",
        "billing_payoutitem_keeps_its_terms",
        "billing_payoutitem_stays",
    ),
    "billing_periodreopening": (
        "billing_periodreopening_keeps_its_terms",
        "billing_periodreopening_status_moves",
        "billing_periodreopening_stays",
    ),
    "billing_providerbalance": ("billing_providerbalance_guard", "billing_providerbalance_stays"),
    "billing_reconciliationrun": ("billing_reconciliationrun_no_change", "billing_reconciliationrun_no_truncate"),
    "billing_statementrelease": (
        "billing_statementrelease_apply",
        "billing_statementrelease_keeps_its_terms",
        "billing_statementrelease_stays",
    ),
    "billing_topup": ("billing_topup_status_moves",),
    "billing_usageevent": (
        "billing_usageevent_no_change",
        "billing_usageevent_no_truncate",
        "billing_usageevent_of_its_point",
        "billing_usageevent_unrated",
    ),
    "billing_usageevent_p0": ("billing_usageevent_p0_of_its_point", "billing_usageevent_p0_unrated"),
    "billing_walletlanding": (
        "billing_walletlanding_keeps_its_terms",
        "billing_walletlanding_status_moves",
        "billing_walletlanding_stays",
    ),
    "billing_usagereversal": ("billing_usagereversal_no_change", "billing_usagereversal_no_truncate"),
    "catalog_offering": ("catalog_offering_status_moves",),
    "catalog_ratecard": ("catalog_ratecard_no_change", "catalog_ratecard_no_truncate"),
    "catalog_ratecarditem": ("catalog_ratecarditem_no_change", "catalog_ratecarditem_no_truncate"),
    "billing_stripeevent": (
        "billing_stripeevent_keeps_what_was_told",
        "billing_stripeevent_state_moves",
        "billing_stripeevent_stays",
    ),
    "billing_transferreversal": ("billing_transferreversal_status_moves",),
    "exchange_deliveredsegment": ("exchange_deliveredsegment_no_change", "exchange_deliveredsegment_no_truncate"),
    "exchange_indication": ("exchange_indication_no_change", "exchange_indication_no_truncate"),
    "exchange_lease": ("exchange_lease_agrees", "exchange_lease_status_moves"),
    "exchange_offer": ("exchange_offer_owns_its_offering", "exchange_offer_status_moves"),
    "exchange_order": ("exchange_order_owns_its_hold", "exchange_order_status_moves"),
    "exchange_quote": ("exchange_quote_status_moves", "exchange_quote_stays", "exchange_quote_within_limits"),
    "exchange_quoteline": ("exchange_quoteline_no_change", "exchange_quoteline_no_truncate"),
    "exchange_quotepart": ("exchange_quotepart_no_change", "exchange_quotepart_no_truncate"),
    "exchange_orderodds": ("exchange_orderodds_no_change", "exchange_orderodds_no_truncate"),
    "exchange_round": (
        "exchange_round_has_its_documents",
        "exchange_round_status_moves",
        "exchange_round_void_takes_two_people",
    ),
    "exchange_roundorder": ("exchange_roundorder_state_moves",),
    "exchange_roundoutcome": (
        "exchange_roundoutcome_no_change",
        "exchange_roundoutcome_no_truncate",
        "exchange_roundoutcome_of_its_book",
    ),
    "exchange_roundprice": ("exchange_roundprice_no_change", "exchange_roundprice_no_truncate"),
    "exchange_roundsnapshot": ("exchange_roundsnapshot_no_change", "exchange_roundsnapshot_no_truncate"),
    "exchange_roundvoidrequest": ("exchange_roundvoidrequest_state_moves",),
    "exchange_trade": ("exchange_trade_agrees", "exchange_trade_no_change", "exchange_trade_no_truncate"),
}

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

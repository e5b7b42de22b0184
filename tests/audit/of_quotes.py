"""Corruptions of quotes and of what was bought by them."""

from typing import Final

from tests.audit.corruption import again, corruption, lost, one

_OPEN: Final = "status = 'open'"
_ACCEPTED: Final = "status = 'accepted'"
_BOUGHT: Final = "quote_id IS NOT NULL"

CORRUPTIONS: Final = (
    corruption("M9", "an offer counts an hour held that is not", one("exchange_offer", "held_unit_hours = 100")),
    corruption(
        "M10",
        "a contract is of another part than its trade",
        one("billing_contract", "source_id = gen_random_uuid()", where="source_type = 'quote_part'"),
    ),
    corruption("Q1", "an hour of an offer is held by nobody", one("exchange_offerslot", "held = held + 1")),
    corruption("Q1", "an hour of capacity is held by nobody", one("exchange_capacityslot", "held = held + 1")),
    corruption("Q1", "an open quote holds less than it says", one("exchange_offerslot", "held = 1", where="held > 1")),
    corruption(
        "Q1",
        "an expired quote still holds its units",
        one("exchange_quote", "status = 'expired', closed_at = expires_at", where=_OPEN),
    ),
    corruption("Q2", "an accepted quote was not traded", lost("exchange_trade", where=_BOUGHT)),
    corruption("Q2", "a line of a quote was traded twice", again("exchange_trade", where=_BOUGHT)),
    corruption(
        "Q2",
        "a trade is at another price than quoted",
        one("exchange_trade", "price_micros = price_micros + 1", where=_BOUGHT),
    ),
    corruption(
        "Q2", "a quote was accepted after its time", one("exchange_quote", "closed_at = expires_at", where=_ACCEPTED)
    ),
    corruption("Q2", "a quote was accepted without a hold", one("exchange_quote", "hold_id = NULL", where=_ACCEPTED)),
    corruption(
        "Q2",
        "a contract has more of the hold than its part costs",
        one("billing_contract", "held_minor = held_minor + 1", where="source_type = 'quote_part'"),
    ),
    corruption(
        "Q2",
        "funds were held from somebody else",
        "UPDATE billing_hold SET organisation_id = (SELECT id FROM accounts_organisation WHERE can_operate)"
        " WHERE source_type = 'quote'",
    ),
    corruption(
        "Q2",
        "less was held than the price",
        "UPDATE billing_holdevent SET amount_minor = 1 WHERE kind = 'placed'"
        " AND hold_id = (SELECT hold_id FROM exchange_quote WHERE status = 'accepted')",
    ),
    corruption(
        "Q3",
        "a part costs more than its hours at its price",
        one("exchange_quotepart", "value_minor = value_minor + 1"),
    ),
    corruption("Q3", "a part was priced in coins of two decimals", "UPDATE exchange_quote SET currency = 'KRW'"),
    corruption("Q3", "a fee is rounded up", one("exchange_quotepart", "fee_minor = fee_minor + 1")),
    corruption("Q3", "a tax is forgotten", one("exchange_quotepart", "tax_minor = 0")),
    corruption("Q3", "a quote costs more than its parts", one("exchange_quote", "fee_minor = fee_minor + 1")),
    corruption("Q3", "a quote costs more than its budget", one("exchange_quote", "budget_minor = 1")),
    corruption("Q3", "a part is below its reserve", one("exchange_quotepart", "reserve_micros = price_micros + 1")),
    corruption("Q3", "a line of a quote is lost", lost("exchange_quoteline")),
    corruption("Q3", "a quote holds fewer units than asked for", one("exchange_quoteline", "quantity = quantity - 1")),
    corruption(
        "Q4",
        "a quote is open long after its time",
        one("exchange_quote", "expires_at = expires_at - interval '1 hour'", where=_OPEN),
    ),
    corruption("Q4", "a buyer has more quotes than the market lets", "UPDATE exchange_market SET quotes_at_once = 0"),
    corruption(
        "Q4",
        "a buyer has more unit-hours held than the market lets",
        "UPDATE exchange_market SET quoted_unit_hours_at_most = 1",
    ),
)

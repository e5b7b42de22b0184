"""Corruptions of hours that buyers sell back."""

from typing import Final

from tests.audit.corruption import again, corruption, one

# The first run of a settled contract, said to be sold back to another run.
_RESOLD: Final = """
    INSERT INTO billing_contractresale (
        id, contract_id, slot_id, sold_as_id, starts_at, ends_at, quantity, price_micros, commission_ppm, created_at
    )
    SELECT gen_random_uuid(), s.contract_id, s.id, s.id, s.starts_at, s.ends_at, s.quantity, s.price_micros,
        s.resale_commission_ppm, s.starts_at
    FROM billing_contractslot s JOIN billing_contract c ON c.id = s.contract_id AND c.status = 'settled'
    ORDER BY s.id LIMIT 1
"""

CORRUPTIONS: Final = (
    corruption("M21", "hours were sold back to the contract they leave", _RESOLD),
    corruption(
        "M21",
        "hours were taken over that nobody sold back",
        one("billing_contract", "origin_id = id"),
    ),
    corruption(
        "M21",
        "a provider is paid another price of what nobody sold back",
        one("billing_contractslot", "provider_price_micros = price_micros"),
    ),
    corruption(
        "M21",
        "what was bought is said to be sold back, and its contract is of the provider's own supply",
        one(
            "exchange_offer",
            "origin_id = (SELECT id FROM billing_contract ORDER BY id LIMIT 1)",
            where="sold_unit_hours > 0",
        ),
    ),
    corruption(
        "M22",
        "hours are on offer of a contract that does not have them",
        "UPDATE exchange_offer f SET instant_price_micros = NULL, origin_id ="
        " (SELECT c.id FROM billing_contract c WHERE c.provider_id = f.provider_id ORDER BY c.id LIMIT 1)"
        " WHERE f.closed_at IS NULL",
    ),
    corruption(
        "M22",
        "hours are sold back of another provider's contract",
        "UPDATE exchange_offer f SET origin_id ="
        " (SELECT c.id FROM billing_contract c WHERE c.provider_id <> f.provider_id ORDER BY c.id LIMIT 1)"
        " WHERE f.closed_at IS NOT NULL",
    ),
    corruption(
        "M22",
        "a buyer bought what it sold back",
        "UPDATE exchange_offer f SET origin_id = t.contract_id FROM exchange_trade t WHERE t.offer_id = f.id",
    ),
    corruption(
        "M23",
        "a charge of hours sold back follows none",
        again(
            "billing_charge", "'kind', 'resold', 'due_ppm', 1000000, 'usage_event_id', null", where="kind = 'delivered'"
        ),
    ),
    corruption("M23", "what is due of hours sold back was not charged", _RESOLD),
    corruption(
        "M23",
        "a provider was stated another price than agreed",
        "UPDATE billing_contractslot SET provider_price_micros = price_micros + 1",
    ),
    corruption(
        "M23",
        "a provider was stated what the buyer sold back",
        one("billing_charge", "kind = 'resale'", where="kind = 'delivered'"),
    ),
)

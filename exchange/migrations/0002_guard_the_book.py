"""Number offers and orders as they are accepted, keep revisions from changing and statuses on their moves."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from exchange.markets.rules import MOVES as MARKET_MOVES
from exchange.offers.rules import MOVES as OFFER_MOVES
from exchange.orders.rules import MOVES as ORDER_MOVES

# One sequence for both sides: who came first is known across offers and orders. Gaps do not matter.
CREATE_ENTRY_NUMBERS = "CREATE SEQUENCE exchange_entry_seq AS bigint;"
DROP_ENTRY_NUMBERS = "DROP SEQUENCE exchange_entry_seq;"

# Capacity is counted by whole hours of UTC.
WHOLE_HOURS = """
ALTER TABLE exchange_capacityslot ADD CONSTRAINT exchange_capacity_whole_hour
    CHECK (mod(extract(epoch FROM starts_at), 3600) = 0);
ALTER TABLE exchange_offerslot ADD CONSTRAINT exchange_offerslot_whole_hour
    CHECK (mod(extract(epoch FROM starts_at), 3600) = 0);
"""
ANY_INSTANT = """
ALTER TABLE exchange_offerslot DROP CONSTRAINT exchange_offerslot_whole_hour;
ALTER TABLE exchange_capacityslot DROP CONSTRAINT exchange_capacity_whole_hour;
"""


class Migration(migrations.Migration):
    """The sequence and the triggers over markets, offers and orders."""

    dependencies: ClassVar = [
        ("accounts", "0002_guard_tables"),
        ("exchange", "0001_create_the_book"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(CREATE_ENTRY_NUMBERS, DROP_ENTRY_NUMBERS),
        migrations.RunSQL(WHOLE_HOURS, ANY_INSTANT),
        guards.append_only("exchange_offerrevision", "exchange_orderrevision"),
        guards.moves("exchange_market", "status", MARKET_MOVES),
        guards.moves("exchange_offer", "status", OFFER_MOVES),
        guards.moves("exchange_order", "status", ORDER_MOVES),
    ]

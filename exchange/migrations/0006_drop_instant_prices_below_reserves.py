"""Take instant prices off that are below their offer's reserve: nothing read them before there were quotes."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """From now on an instant price is at least the reserve; none of these was ever paid."""

    dependencies: ClassVar = [("exchange", "0005_tie_the_book_to_its_owners")]

    operations: ClassVar = [
        migrations.RunSQL(
            "UPDATE exchange_offer SET instant_price_micros = NULL WHERE instant_price_micros < reserve_micros",
            migrations.RunSQL.noop,
        )
    ]

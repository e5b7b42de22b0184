"""Let a person say that a parked message of Stripe is of no concern here."""

from typing import ClassVar

from django.db import migrations

MOVES = """
DROP TRIGGER billing_stripeevent_state_moves ON billing_stripeevent;
CREATE TRIGGER billing_stripeevent_state_moves BEFORE UPDATE OF state ON billing_stripeevent FOR EACH ROW
    WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION check_move('state', 'received>ignored',
        'received>parked', 'received>processed', 'parked>processed'{more});
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [("billing", "0045_watch_what_is_free_at_stripe")]
    operations: ClassVar = [migrations.RunSQL(MOVES.format(more=", 'parked>ignored'"), MOVES.format(more=""))]

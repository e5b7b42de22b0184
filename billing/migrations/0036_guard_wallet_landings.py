"""Keep landings on their stages, and a stopped wallet from setting anything new aside; load how long stages last."""

from datetime import UTC, datetime
from typing import Any, ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.landings.rules import MOVES

SINCE = datetime(2020, 1, 1, tzinfo=UTC)

STOP = """
CREATE TRIGGER billing_walletlanding_keeps_its_terms BEFORE UPDATE ON billing_walletlanding FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'releases_at', 'stopped_at', 'releasing_at', 'lifted_at');
CREATE TRIGGER billing_walletlanding_stays BEFORE DELETE ON billing_walletlanding
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE FUNCTION check_wallet_not_stopped() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_hold hold
        JOIN billing_walletlanding landing
            ON landing.organisation_id = hold.organisation_id AND landing.currency = hold.currency
        WHERE hold.id = NEW.hold_id AND landing.status IN ('stopped', 'releasing');
    IF FOUND THEN
        RAISE EXCEPTION 'the wallet is stopped: nothing new is held'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'nothing_new_of_a_stopped_wallet';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER billing_holdevent_of_an_open_wallet AFTER INSERT ON billing_holdevent FOR EACH ROW
    WHEN (NEW.kind IN ('placed', 'grown')) EXECUTE FUNCTION check_wallet_not_stopped();
"""
DROP_STOP = """
DROP TRIGGER billing_holdevent_of_an_open_wallet ON billing_holdevent;
DROP FUNCTION check_wallet_not_stopped();
DROP TRIGGER billing_walletlanding_stays ON billing_walletlanding;
DROP TRIGGER billing_walletlanding_keeps_its_terms ON billing_walletlanding;
"""


def load(apps: Any, schema_editor: Any) -> None:
    """Three days of grace, and two more before leases are handed back."""
    policy = apps.get_model("billing", "LandingPolicy")
    policy.objects.create(grace_hours=72, notice_hours=48, effective_from=SINCE)


class Migration(migrations.Migration):
    """Triggers and reference data of landings."""

    dependencies: ClassVar = [("billing", "0035_create_wallet_landings")]

    operations: ClassVar = [
        migrations.RunPython(load, migrations.RunPython.noop),
        migrations.RunSQL(STOP, DROP_STOP),
        guards.moves("billing_walletlanding", "status", MOVES),
        guards.append_only("billing_landingpolicy"),
    ]

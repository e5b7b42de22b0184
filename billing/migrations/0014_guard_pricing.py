"""Keep what changes prices from being rewritten, and vouchers at the sum of their uses."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards

_DATED = ("billing_customerclass", "billing_priceadjustment", "billing_coefficient")

# A row that holds without end is ended once, by the one that follows it; nothing else about it changes.
DATED = "".join(
    f"""
CREATE TRIGGER {table}_keeps_its_values BEFORE UPDATE ON {table} FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('effective_to');
CREATE TRIGGER {table}_ends_once BEFORE UPDATE ON {table} FOR EACH ROW
    WHEN (OLD.effective_to IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER {table}_stays BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
    for table in _DATED
)
DROP_DATED = "".join(
    f"DROP TRIGGER {table}_stays ON {table}; DROP TRIGGER {table}_ends_once ON {table};"
    f" DROP TRIGGER {table}_keeps_its_values ON {table};"
    for table in _DATED
)

VOUCHERS = """
CREATE TRIGGER billing_voucher_keeps_its_worth BEFORE UPDATE ON billing_voucher FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('used_minor', 'closed_at');
CREATE TRIGGER billing_voucher_is_closed_once BEFORE UPDATE ON billing_voucher FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_voucher_stays BEFORE DELETE ON billing_voucher
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE FUNCTION check_voucher_uses() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    voucher uuid;
    noted bigint;
    used numeric;
BEGIN
    voucher := (to_jsonb(NEW) ->> CASE TG_TABLE_NAME WHEN 'billing_voucher' THEN 'id' ELSE 'voucher_id' END)::uuid;
    SELECT used_minor INTO noted FROM billing_voucher WHERE id = voucher;
    SELECT coalesce(sum(amount_minor), 0) INTO used FROM billing_voucheruse WHERE voucher_id = voucher;
    IF noted <> used THEN
        RAISE EXCEPTION 'voucher % is noted with % used, its uses are %', voucher, noted, used
            USING ERRCODE = 'check_violation', CONSTRAINT = 'voucher_is_the_sum_of_its_uses';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER billing_voucher_adds_up AFTER INSERT OR UPDATE OF used_minor ON billing_voucher
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_voucher_uses();
CREATE CONSTRAINT TRIGGER billing_voucheruse_adds_up AFTER INSERT ON billing_voucheruse
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_voucher_uses();
"""
DROP_VOUCHERS = """
DROP TRIGGER billing_voucheruse_adds_up ON billing_voucheruse;
DROP TRIGGER billing_voucher_adds_up ON billing_voucher;
DROP FUNCTION check_voucher_uses();
DROP TRIGGER billing_voucher_stays ON billing_voucher;
DROP TRIGGER billing_voucher_is_closed_once ON billing_voucher;
DROP TRIGGER billing_voucher_keeps_its_worth ON billing_voucher;
"""


class Migration(migrations.Migration):
    """Triggers over the tables of pricing."""

    dependencies: ClassVar = [("billing", "0013_create_pricing")]

    operations: ClassVar = [
        migrations.RunSQL(DATED, DROP_DATED),
        migrations.RunSQL(VOUCHERS, DROP_VOUCHERS),
        guards.append_only("billing_voucheruse"),
    ]

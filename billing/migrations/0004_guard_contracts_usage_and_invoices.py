"""Keep terms, usage and issued documents from changing, statuses on their moves, and numbers without gaps."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from billing.contracts.rules import MOVES as CONTRACT_MOVES
from billing.invoices.rules import MOVES as INVOICE_MOVES

# The arguments name the columns that may change; every other column keeps its value.
FORBID_CHANGE_EXCEPT = """
CREATE FUNCTION forbid_change_except() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (to_jsonb(OLD) - TG_ARGV) IS DISTINCT FROM (to_jsonb(NEW) - TG_ARGV) THEN
        RAISE EXCEPTION 'only % of % may change', array_to_string(TG_ARGV, ', '), TG_TABLE_NAME
            USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
END
$$;
"""

CONTRACTS = """
CREATE TRIGGER billing_contract_keeps_its_terms BEFORE UPDATE ON billing_contract FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'terminated_reason', 'held_minor', 'ended_at', 'settled_at');
CREATE TRIGGER billing_contract_stays BEFORE DELETE ON billing_contract
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_CONTRACTS = """
DROP TRIGGER billing_contract_stays ON billing_contract;
DROP TRIGGER billing_contract_keeps_its_terms ON billing_contract;
"""

USAGE = """
CREATE TRIGGER billing_meteringpoint_keeps_its_bounds BEFORE UPDATE ON billing_meteringpoint FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('closed_at');
CREATE TRIGGER billing_meteringpoint_closes_once BEFORE UPDATE ON billing_meteringpoint FOR EACH ROW
    WHEN (OLD.closed_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_allocationsegment_keeps_its_bounds BEFORE UPDATE ON billing_allocationsegment FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('reversed_at');
CREATE TRIGGER billing_allocationsegment_is_reversed_once BEFORE UPDATE ON billing_allocationsegment FOR EACH ROW
    WHEN (OLD.reversed_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_allocationsegment_stays BEFORE DELETE ON billing_allocationsegment
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE FUNCTION check_segment_in_point() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_meteringpoint
        WHERE id = NEW.metering_point_id AND starts_at <= NEW.starts_at AND NEW.ends_at <= ends_at;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a segment lies outside its metering point'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'allocation_segment_in_its_point';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_allocationsegment_in_its_point BEFORE INSERT ON billing_allocationsegment
    FOR EACH ROW EXECUTE FUNCTION check_segment_in_point();
"""
DROP_USAGE = """
DROP TRIGGER billing_allocationsegment_in_its_point ON billing_allocationsegment;
DROP FUNCTION check_segment_in_point();
DROP TRIGGER billing_allocationsegment_stays ON billing_allocationsegment;
DROP TRIGGER billing_allocationsegment_is_reversed_once ON billing_allocationsegment;
DROP TRIGGER billing_allocationsegment_keeps_its_bounds ON billing_allocationsegment;
DROP TRIGGER billing_meteringpoint_closes_once ON billing_meteringpoint;
DROP TRIGGER billing_meteringpoint_keeps_its_bounds ON billing_meteringpoint;
"""

# A document is put together while it is a draft; its number ends that.
INVOICES = """
CREATE TRIGGER billing_invoice_is_final BEFORE UPDATE ON billing_invoice FOR EACH ROW WHEN (OLD.status <> 'draft')
    EXECUTE FUNCTION forbid_change_except('status', 'paid_minor', 'credited_minor', 'written_off_minor', 'paid_at');
CREATE TRIGGER billing_invoice_stays BEFORE DELETE ON billing_invoice
    FOR EACH ROW EXECUTE FUNCTION forbid_change();

CREATE FUNCTION check_invoice_is_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_invoice WHERE id = NEW.invoice_id AND status = 'draft';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'nothing is added to an issued document'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'invoice_is_final';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_invoiceline_of_a_draft BEFORE INSERT ON billing_invoiceline
    FOR EACH ROW EXECUTE FUNCTION check_invoice_is_draft();
CREATE TRIGGER billing_invoicetax_of_a_draft BEFORE INSERT ON billing_invoicetax
    FOR EACH ROW EXECUTE FUNCTION check_invoice_is_draft();

CREATE FUNCTION check_billed_line_is_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM billing_invoiceline line
        JOIN billing_invoice invoice ON invoice.id = line.invoice_id
        JOIN billing_charge charge ON charge.id = NEW.charge_id
        WHERE line.id = NEW.line_id AND invoice.status = 'draft' AND invoice.side = NEW.side
            AND charge.contract_id = invoice.contract_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'a charge is billed on a draft of its contract and side'
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'billed_charge_on_its_draft';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_billedcharge_of_a_draft BEFORE INSERT ON billing_billedcharge
    FOR EACH ROW EXECUTE FUNCTION check_billed_line_is_draft();

CREATE FUNCTION check_invoice_adds_up() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    lines numeric;
    bases numeric;
    taxes numeric;
BEGIN
    IF NEW.status = 'draft' THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(amount_minor), 0) INTO lines FROM billing_invoiceline WHERE invoice_id = NEW.id;
    SELECT coalesce(sum(base_minor), 0), coalesce(sum(tax_minor), 0) INTO bases, taxes
        FROM billing_invoicetax WHERE invoice_id = NEW.id;
    IF lines <> NEW.net_minor OR bases <> NEW.net_minor OR taxes <> NEW.tax_minor THEN
        RAISE EXCEPTION 'invoice %: lines %, tax bases % and taxes % differ from net % and tax %',
            NEW.number, lines, bases, taxes, NEW.net_minor, NEW.tax_minor
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_adds_up';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER billing_invoice_adds_up AFTER INSERT OR UPDATE OF status ON billing_invoice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_invoice_adds_up();

CREATE FUNCTION check_next_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.series <> OLD.series OR NEW.year <> OLD.year OR NEW.last <> OLD.last + 1
        OR NEW.last_issued_at < OLD.last_issued_at
    THEN
        RAISE EXCEPTION 'counter % % goes from % to %', OLD.series, OLD.year, OLD.last, NEW.last
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_counter_counts_by_one';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER billing_invoicecounter_counts_by_one BEFORE UPDATE ON billing_invoicecounter
    FOR EACH ROW EXECUTE FUNCTION check_next_number();
CREATE TRIGGER billing_invoicecounter_stays BEFORE DELETE ON billing_invoicecounter
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_INVOICES = """
DROP TRIGGER billing_invoicecounter_stays ON billing_invoicecounter;
DROP TRIGGER billing_invoicecounter_counts_by_one ON billing_invoicecounter;
DROP FUNCTION check_next_number();
DROP TRIGGER billing_invoice_adds_up ON billing_invoice;
DROP FUNCTION check_invoice_adds_up();
DROP TRIGGER billing_billedcharge_of_a_draft ON billing_billedcharge;
DROP FUNCTION check_billed_line_is_draft();
DROP TRIGGER billing_invoicetax_of_a_draft ON billing_invoicetax;
DROP TRIGGER billing_invoiceline_of_a_draft ON billing_invoiceline;
DROP FUNCTION check_invoice_is_draft();
DROP TRIGGER billing_invoice_stays ON billing_invoice;
DROP TRIGGER billing_invoice_is_final ON billing_invoice;
"""

# A partition inherits the triggers of its rows from the table, but not the one that watches over TRUNCATE.
PARTITIONS = "".join(
    f"CREATE TRIGGER billing_usageevent_p{n}_no_truncate BEFORE TRUNCATE ON billing_usageevent_p{n}"
    " FOR EACH STATEMENT EXECUTE FUNCTION forbid_change();"
    for n in range(8)
)
DROP_PARTITIONS = "".join(
    f"DROP TRIGGER billing_usageevent_p{n}_no_truncate ON billing_usageevent_p{n};" for n in range(8)
)


class Migration(migrations.Migration):
    """Triggers over the tables of the bills."""

    dependencies: ClassVar = [
        ("accounts", "0002_guard_tables"),
        ("billing", "0003_create_contracts_usage_and_invoices"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(FORBID_CHANGE_EXCEPT, "DROP FUNCTION forbid_change_except();"),
        migrations.RunSQL(CONTRACTS, DROP_CONTRACTS),
        migrations.RunSQL(USAGE, DROP_USAGE),
        migrations.RunSQL(PARTITIONS, DROP_PARTITIONS),
        migrations.RunSQL(INVOICES, DROP_INVOICES),
        guards.moves("billing_contract", "status", CONTRACT_MOVES),
        guards.moves("billing_invoice", "status", INVOICE_MOVES),
        guards.append_only(
            "billing_contractslot",
            "billing_feeschedule",
            "billing_usageevent",
            "billing_usagereversal",
            "billing_usageconflict",
            "billing_usagerejection",
            "billing_charge",
            "billing_invoiceline",
            "billing_invoicetax",
            "billing_billedcharge",
        ),
    ]

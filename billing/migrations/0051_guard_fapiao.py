"""Keep fapiao from changing, and each the sum of its documents, whose red letters take back no more than it."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards

MOVES = {
    "requested": ("issuing", "issued", "refused"),
    "issuing": ("issued", "refused"),
    "issued": ("reversed",),
    "refused": (),
    "reversed": (),
}
CALL_MOVES = {"intended": ("sent", "answered"), "sent": ("answered",), "answered": ()}

KEPT = """
CREATE TRIGGER billing_fapiaotitle_keeps_what_it_says BEFORE UPDATE ON billing_fapiaotitle FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('ended_at');
CREATE TRIGGER billing_fapiaotitle_is_ended_once BEFORE UPDATE ON billing_fapiaotitle FOR EACH ROW
    WHEN (OLD.ended_at IS NOT NULL) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_fapiaotitle_stays BEFORE DELETE ON billing_fapiaotitle
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_fapiao_keeps_what_was_asked BEFORE UPDATE ON billing_fapiao FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('status', 'refusal', 'number', 'issued_on', 'file_url', 'file_sha256',
        'recorded_by', 'recorded_at', 'reversed_minor');
CREATE TRIGGER billing_fapiao_is_recorded_once BEFORE UPDATE ON billing_fapiao FOR EACH ROW
    WHEN (OLD.number <> '' AND (NEW.number, NEW.issued_on, NEW.file_url, NEW.file_sha256, NEW.recorded_by,
            NEW.recorded_at)
        IS DISTINCT FROM (OLD.number, OLD.issued_on, OLD.file_url, OLD.file_sha256, OLD.recorded_by, OLD.recorded_at))
    EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_fapiao_stays BEFORE DELETE ON billing_fapiao
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_fapiaopart_keeps_its_amounts BEFORE UPDATE ON billing_fapiaopart FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('is_live');
CREATE TRIGGER billing_fapiaopart_lives_once BEFORE UPDATE ON billing_fapiaopart FOR EACH ROW
    WHEN (NOT OLD.is_live AND NEW.is_live) EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_fapiaopart_stays BEFORE DELETE ON billing_fapiaopart
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
CREATE TRIGGER billing_fapiaocall_keeps_what_is_sent BEFORE UPDATE ON billing_fapiaocall FOR EACH ROW
    EXECUTE FUNCTION forbid_change_except('state', 'attempts', 'problem', 'first_sent_at', 'looked_at', 'answered_at');
CREATE TRIGGER billing_fapiaocall_stays BEFORE DELETE ON billing_fapiaocall
    FOR EACH ROW EXECUTE FUNCTION forbid_change();
"""
DROP_KEPT = """
DROP TRIGGER billing_fapiaocall_stays ON billing_fapiaocall;
DROP TRIGGER billing_fapiaocall_keeps_what_is_sent ON billing_fapiaocall;
DROP TRIGGER billing_fapiaopart_stays ON billing_fapiaopart;
DROP TRIGGER billing_fapiaopart_lives_once ON billing_fapiaopart;
DROP TRIGGER billing_fapiaopart_keeps_its_amounts ON billing_fapiaopart;
DROP TRIGGER billing_fapiao_stays ON billing_fapiao;
DROP TRIGGER billing_fapiao_is_recorded_once ON billing_fapiao;
DROP TRIGGER billing_fapiao_keeps_what_was_asked ON billing_fapiao;
DROP TRIGGER billing_fapiaotitle_stays ON billing_fapiaotitle;
DROP TRIGGER billing_fapiaotitle_is_ended_once ON billing_fapiaotitle;
DROP TRIGGER billing_fapiaotitle_keeps_what_it_says ON billing_fapiaotitle;
"""

# Looked at when the transaction ends, for its rows are written one after the other.
SUMS = """
CREATE FUNCTION check_fapiao() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    said billing_fapiao;
    parts record;
    taxes record;
    taken_back numeric;
BEGIN
    SELECT * INTO said FROM billing_fapiao
        WHERE id = coalesce(to_jsonb(NEW) ->> 'fapiao_id', to_jsonb(NEW) ->> 'id')::uuid;
    SELECT coalesce(sum(total_minor), 0) AS total, coalesce(sum(tax_minor), 0) AS tax,
            coalesce(bool_or(is_live), false) AS some_live, coalesce(bool_and(is_live), false) AS all_live
        INTO parts FROM billing_fapiaopart WHERE fapiao_id = said.id;
    SELECT coalesce(sum(base_minor), 0) AS base, coalesce(sum(tax_minor), 0) AS tax
        INTO taxes FROM billing_fapiaotax WHERE fapiao_id = said.id;
    IF (said.total_minor, said.tax_minor, said.net_minor, said.tax_minor)
            IS DISTINCT FROM (parts.total, parts.tax, taxes.base, taxes.tax) THEN
        RAISE EXCEPTION 'fapiao % of %: its documents come to %, its taxes to % on %',
            said.id, said.total_minor, parts.total, taxes.tax, taxes.base
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fapiao_is_its_documents';
    END IF;
    IF parts.some_live AND (said.status IN ('refused', 'reversed') OR said.red_cause = 'mistake')
            OR NOT parts.all_live AND said.status IN ('requested', 'issuing') AND said.red_cause <> 'mistake' THEN
        RAISE EXCEPTION 'fapiao % is % and holds the wrong documents', said.id, said.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fapiao_holds_while_it_lives';
    END IF;
    IF said.red_of_id IS NOT NULL THEN
        SELECT * INTO said FROM billing_fapiao WHERE id = said.red_of_id;
    END IF;
    SELECT coalesce(-sum(total_minor), 0) INTO taken_back FROM billing_fapiao
        WHERE red_of_id = said.id AND status = 'issued';
    IF said.red_of_id IS NOT NULL OR said.reversed_minor <> taken_back THEN
        RAISE EXCEPTION 'fapiao %: % is said to be taken back, its red letters come to %',
            said.id, said.reversed_minor, taken_back
            USING ERRCODE = 'check_violation', CONSTRAINT = 'fapiao_reversed_is_its_red_letters';
    END IF;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER billing_fapiao_adds_up AFTER INSERT OR UPDATE ON billing_fapiao
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_fapiao();
CREATE CONSTRAINT TRIGGER billing_fapiaopart_adds_up AFTER INSERT OR UPDATE ON billing_fapiaopart
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_fapiao();
CREATE CONSTRAINT TRIGGER billing_fapiaotax_adds_up AFTER INSERT ON billing_fapiaotax
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_fapiao();
"""
DROP_SUMS = """
DROP TRIGGER billing_fapiaotax_adds_up ON billing_fapiaotax;
DROP TRIGGER billing_fapiaopart_adds_up ON billing_fapiaopart;
DROP TRIGGER billing_fapiao_adds_up ON billing_fapiao;
DROP FUNCTION check_fapiao();
"""


class Migration(migrations.Migration):
    """Triggers over titles, fapiao, their documents and calls."""

    dependencies: ClassVar = [("billing", "0050_create_fapiao")]

    operations: ClassVar = [
        migrations.RunSQL(KEPT, DROP_KEPT),
        migrations.RunSQL(SUMS, DROP_SUMS),
        guards.moves("billing_fapiao", "status", MOVES),
        guards.moves("billing_fapiaocall", "state", CALL_MOVES),
        guards.append_only("billing_fapiaotax"),
    ]

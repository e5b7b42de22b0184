"""Keep what never changes from changing, statuses on their moves, and the audit chains linked."""

from typing import ClassVar

from django.db import migrations

from accounts.foundation import guards
from accounts.jobs.rules import JOB_MOVES
from accounts.organisations.rules import ORGANISATION_MOVES

# Deferred to the commit: by then every other lock of the transaction is held, so the lock on the
# head of a chain is never held while something else is awaited. All records of one transaction go
# to one chain, so no two transactions can wait for each other's. SECURITY DEFINER, because the
# application may not write links or heads itself.
LINK_AUDIT_RECORD = """
CREATE FUNCTION link_audit_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    chain accounts_auditchain;
    digest bytea;
BEGIN
    SELECT * INTO STRICT chain FROM accounts_auditchain
        WHERE shard = (pg_current_xact_id()::text::numeric % 16)::smallint FOR UPDATE;
    digest := sha256(chain.hash || convert_to(NEW.text, 'UTF8'));
    INSERT INTO accounts_auditlink (record_id, shard, n, previous_hash, hash)
        VALUES (NEW.id, chain.shard, chain.n + 1, chain.hash, digest);
    UPDATE accounts_auditchain SET n = chain.n + 1, hash = digest WHERE shard = chain.shard;
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER accounts_auditrecord_link AFTER INSERT ON accounts_auditrecord
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION link_audit_record();
INSERT INTO accounts_auditchain (shard, n, hash)
    SELECT shard, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 15) AS shard;
"""
UNLINK_AUDIT_RECORD = """
DROP TRIGGER accounts_auditrecord_link ON accounts_auditrecord;
DROP FUNCTION link_audit_record();
DELETE FROM accounts_auditchain;
"""


class Migration(migrations.Migration):
    """Triggers over the tables of accounts."""

    dependencies: ClassVar = [("accounts", "0001_create_accounts")]

    operations: ClassVar = [
        guards.append_only("accounts_auditrecord", "accounts_auditlink", "accounts_event"),
        guards.moves("accounts_organisation", "status", ORGANISATION_MOVES),
        guards.moves("accounts_job", "state", JOB_MOVES),
        migrations.RunSQL(LINK_AUDIT_RECORD, UNLINK_AUDIT_RECORD),
    ]

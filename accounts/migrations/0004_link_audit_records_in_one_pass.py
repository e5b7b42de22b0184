"""Link all audit records of a transaction as the first of them is reached, with one change of the chain's head."""

from typing import ClassVar

from django.db import migrations

# As before it runs at the commit, once for each record. Each record used to read and write the head of the chain,
# and the head's row grew a version for each. The others of the transaction are found by their ids, which grow with
# time, and by the transaction that wrote them; one that is not (written in a savepoint) is linked at its own turn.
LINK_ALL = """
CREATE OR REPLACE FUNCTION link_audit_record() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    chain accounts_auditchain;
    digest bytea;
    found record;
BEGIN
    IF EXISTS (SELECT FROM accounts_auditlink WHERE record_id = NEW.id) THEN
        RETURN NULL;
    END IF;
    SELECT * INTO STRICT chain FROM accounts_auditchain
        WHERE shard = (pg_current_xact_id()::text::numeric % 16)::smallint FOR UPDATE;
    FOR found IN
        SELECT id, text FROM accounts_auditrecord AS mine
        WHERE id >= NEW.id AND (id = NEW.id OR xmin = pg_current_xact_id()::xid)
          AND NOT EXISTS (SELECT FROM accounts_auditlink WHERE record_id = mine.id)
        ORDER BY id
    LOOP
        digest := sha256(chain.hash || convert_to(found.text, 'UTF8'));
        INSERT INTO accounts_auditlink (record_id, shard, n, previous_hash, hash)
            VALUES (found.id, chain.shard, chain.n + 1, chain.hash, digest);
        chain.n := chain.n + 1;
        chain.hash := digest;
    END LOOP;
    UPDATE accounts_auditchain SET n = chain.n, hash = chain.hash WHERE shard = chain.shard;
    RETURN NULL;
END
$$;
"""
LINK_EACH = """
CREATE OR REPLACE FUNCTION link_audit_record() RETURNS trigger
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
"""


class Migration(migrations.Migration):
    """The function behind the trigger of audit records."""

    dependencies: ClassVar = [("accounts", "0003_add_invitations")]

    operations: ClassVar = [migrations.RunSQL(LINK_ALL, LINK_EACH)]

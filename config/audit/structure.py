"""Invariants of every table alike: what never changes, what a number may be, what a time may be (L6, L7, L10, S, O)."""

from typing import Final

from django.db.backends.utils import CursorWrapper
from psycopg import sql

from config.audit.invariants import Finding, Invariant, Violation, by_query
from config.roles import append_only_tables, application_role, read_only_tables

_OUR_TABLES: Final = r"""
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND c.relname ~ '^(accounts|catalog|billing|exchange)_' AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY 1, 2
"""


def _columns(cursor: CursorWrapper) -> list[tuple[str, str, str]]:
    """Return (table, column, type) of every column of the project's own tables."""
    cursor.execute(_OUR_TABLES)
    return [(str(table), str(column), str(kind)) for table, column, kind in cursor.fetchall()]


def _never_change(cursor: CursorWrapper) -> Finding:
    """Look at the guards of each append-only table and its partitions: triggers, and what the working role may do."""
    cursor.execute(
        """
        SELECT c.oid::regclass::text, c.relname = ANY (%s)
        FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND (c.relname = ANY (%s) OR p.relname = ANY (%s)) ORDER BY 1
        """,
        [list(read_only_tables()), list(append_only_tables()), list(append_only_tables())],
    )
    tables = cursor.fetchall()
    violations = []
    for table, read_only in tables:
        # Of a trigger's type: 1 for each row, 2 before, 8 delete, 16 update, 32 truncate.
        cursor.execute(
            """
            SELECT coalesce(bool_or(tgtype & 27 = 27), false) AND coalesce(bool_or(tgtype & 34 = 34), false)
            FROM pg_trigger
            WHERE tgrelid = %s::regclass AND tgfoid = 'forbid_change'::regproc
              AND tgenabled IN ('O', 'A') AND tgqual IS NULL AND tgattr = ''
            """,
            [table],
        )
        (guarded,) = cursor.fetchone()
        if not guarded:
            violations.append(Violation(table, "no trigger refuses UPDATE, DELETE and TRUNCATE"))
        cursor.execute(
            """
            SELECT wrong FROM unnest(%s::text[]) AS wrong
            WHERE CASE wrong WHEN 'DELETE' THEN has_table_privilege(%s, %s, wrong)
                             WHEN 'TRUNCATE' THEN has_table_privilege(%s, %s, wrong)
                             ELSE has_any_column_privilege(%s, %s, wrong) END
            """,
            [
                ["UPDATE", "DELETE", "TRUNCATE"] + (["INSERT"] if read_only else []),
                *[application_role(), table] * 3,
            ],
        )
        violations += [Violation(table, f"the application may {wrong}") for (wrong,) in cursor.fetchall()]
    return Finding(len(tables), tuple(violations))


def _exact_numbers(cursor: CursorWrapper) -> Finding:
    """No binary fractions and no unbounded decimals among the columns, no NaN among the values."""
    violations = []
    numeric = []
    for table, column, kind in _columns(cursor):
        if kind in {"real", "double precision", "numeric"}:
            violations.append(Violation(f"{table}.{column}", f"is {kind}"))
        elif column.endswith("_minor") and kind != "bigint":
            violations.append(Violation(f"{table}.{column}", f"is money and {kind}"))
        elif kind.startswith("numeric"):
            numeric.append((table, column))
    for table, column in numeric:
        cursor.execute(
            sql.SQL("SELECT count(*) FROM {} WHERE {} = 'NaN'").format(sql.Identifier(table), sql.Identifier(column))
        )
        (found,) = cursor.fetchone()
        if found:
            violations.append(Violation(f"{table}.{column}", f"{found} values are not numbers"))
    return Finding(len(numeric), tuple(violations))


def _times_in_range(cursor: CursorWrapper) -> Finding:
    """Every instant is finite and between 2020 and 2100."""
    violations = []
    columns = [(table, column) for table, column, kind in _columns(cursor) if kind == "timestamp with time zone"]
    for table, column in columns:
        name = sql.Identifier(column)
        cursor.execute(
            sql.SQL("SELECT count(*) FROM {} WHERE {} < '2020-01-01Z' OR {} >= '2100-01-01Z'").format(
                sql.Identifier(table), name, name
            )
        )
        (found,) = cursor.fetchone()
        if found:
            violations.append(Violation(f"{table}.{column}", f"{found} values are out of range"))
    return Finding(len(columns), tuple(violations))


STRUCTURE: Final = (
    Invariant("L6", "append-only tables are guarded by triggers and rights", "tables", _never_change),
    by_query(
        "L7",
        "the audit trail is a chain without gaps whose hashes recompute, and its heads are its last links",
        "records",
        counted="SELECT count(*) FROM accounts_auditrecord",
        violations="""
            WITH link AS (
                SELECT l.record_id, l.shard, l.n, l.previous_hash, l.hash, r.text,
                    lag(l.hash, 1, decode(repeat('00', 32), 'hex')) OVER (PARTITION BY l.shard ORDER BY l.n) AS before,
                    row_number() OVER (PARTITION BY l.shard ORDER BY l.n) AS place
                FROM accounts_auditlink l LEFT JOIN accounts_auditrecord r ON r.id = l.record_id
            )
            SELECT record_id::text, format('link %s of chain %s does not follow from the one before', n, shard)
            FROM link
            WHERE n <> place OR previous_hash <> before OR text IS NULL
               OR hash <> sha256(previous_hash || convert_to(text, 'UTF8'))
            UNION ALL
            SELECT r.id::text, 'record without a link'
            FROM accounts_auditrecord r LEFT JOIN accounts_auditlink l ON l.record_id = r.id WHERE l.record_id IS NULL
            UNION ALL
            SELECT c.shard::text, format('head says %s links, there are %s', c.n, coalesce(max(l.n), 0))
            FROM accounts_auditchain c LEFT JOIN accounts_auditlink l ON l.shard = c.shard
            GROUP BY c.shard, c.n, c.hash
            HAVING c.n <> coalesce(max(l.n), 0)
                OR (c.n > 0 AND c.hash <> (array_agg(l.hash ORDER BY l.n DESC))[1])
            """,
    ),
    Invariant(
        "L10",
        "money is whole, and no column holds a binary fraction, an unbounded decimal or NaN",
        "decimal columns",
        _exact_numbers,
    ),
    by_query(
        "S1",
        "every status and state moves along its listed edges alone, by a trigger",
        "status columns",
        counted="""
            SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attname IN ('status', 'state') AND c.relkind IN ('r', 'p')
              AND c.relnamespace = 'public'::regnamespace AND c.relname ~ '^(accounts|catalog|billing|exchange)_'
            """,
        violations=r"""
            SELECT c.relname || '.' || a.attname, 'changes without a trigger that knows its moves'
            FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
            WHERE a.attname IN ('status', 'state') AND c.relkind IN ('r', 'p')
              AND c.relnamespace = 'public'::regnamespace AND c.relname ~ '^(accounts|catalog|billing|exchange)_'
              AND NOT EXISTS (
                SELECT 1 FROM pg_trigger t
                WHERE t.tgrelid = c.oid AND t.tgfoid = 'check_move'::regproc AND t.tgenabled IN ('O', 'A')
                  AND t.tgtype & 19 = 19 AND starts_with(encode(t.tgargs, 'escape'), a.attname || '\000')
              )
            """,
    ),
    by_query(
        "S2",
        "what belongs together belongs to the same organisation",
        "orders, contracts and offers",
        counted="""
            SELECT (SELECT count(*) FROM exchange_order) + (SELECT count(*) FROM billing_contract)
                 + (SELECT count(*) FROM exchange_offer)
            """,
        violations="""
            SELECT o.id, 'order and project, or order and hold, differ in organisation'
            FROM exchange_order o JOIN accounts_project p ON p.id = o.project_id JOIN billing_hold h ON h.id = o.hold_id
            WHERE p.organisation_id <> o.buyer_id OR h.organisation_id <> o.buyer_id OR h.currency <> o.currency
            UNION ALL
            SELECT c.id, 'contract and project differ in organisation'
            FROM billing_contract c JOIN accounts_project p ON p.id = c.project_id WHERE p.organisation_id <> c.buyer_id
            UNION ALL
            SELECT f.id, 'offer and offering differ in provider'
            FROM exchange_offer f JOIN catalog_offering g ON g.id = f.offering_id WHERE g.provider_id <> f.provider_id
            UNION ALL
            SELECT s.contract_id, 'contract and offering differ in provider'
            FROM billing_contractslot s JOIN billing_contract c ON c.id = s.contract_id
            JOIN catalog_offering g ON g.id = s.offering_id WHERE g.provider_id <> c.provider_id
            UNION ALL
            SELECT l.id, 'lease and contract, or lease and metering point, differ in parties'
            FROM exchange_lease l JOIN billing_contract c ON c.id = l.contract_id
            JOIN billing_meteringpoint p ON p.id = l.metering_point_id
            WHERE l.buyer_id <> c.buyer_id OR l.provider_id <> c.provider_id
               OR p.provider_id <> c.provider_id OR p.contract_id <> c.id
            UNION ALL
            SELECT i.id, 'document and contract differ in party or currency'
            FROM billing_invoice i JOIN billing_contract c ON c.id = i.contract_id
            WHERE i.organisation_id <> CASE i.side WHEN 'customer' THEN c.buyer_id ELSE c.provider_id END
               OR i.currency <> c.currency
            """,
    ),
    by_query(
        "S4",
        "an idempotency key has one final answer in its organisation",
        "keys",
        counted="SELECT count(*) FROM accounts_idempotencyrecord",
        violations="""
            SELECT key, format('%s answers', count(*)) FROM accounts_idempotencyrecord
            GROUP BY organisation_id, key HAVING count(*) > 1
            UNION ALL
            SELECT key, format('status %s', status_code) FROM accounts_idempotencyrecord
            WHERE status_code NOT BETWEEN 200 AND 499
            """,
    ),
    Invariant("S5", "every instant is finite and between 2020 and 2100", "time columns", _times_in_range),
    by_query(
        "O2",
        "a piece of work has one job, none waited a minute past its time while the exchange ran, and none gave up",
        "jobs",
        counted="SELECT count(*) FROM accounts_job",
        violations="""
            SELECT key, format('%s jobs of kind %s', count(*), kind) FROM accounts_job
            GROUP BY kind, key HAVING count(*) > 1
            UNION ALL
            SELECT key, format('%s is due since %s', kind, due_at) FROM accounts_job
            WHERE state = 'pending' AND due_at < (SELECT max(at) FROM accounts_event) - interval '60 seconds'
            UNION ALL
            SELECT key, format('%s gave up: %s', kind, left(last_error, 200)) FROM accounts_job WHERE state = 'parked'
            """,
    ),
)

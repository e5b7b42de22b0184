-- What ledger.post sends for a posting of two entries, statement by statement.
\set wallet random(1, :wallets)
\set shard random(0, :shards - 1)
\set amount random(1, 1000)
BEGIN;
SELECT (array_agg(id))[1] AS first_id, (array_agg(id))[2] AS second_id,
    (array_agg(CASE code WHEN '2000' THEN :amount ELSE -:amount END))[1] AS first_amount,
    (array_agg(CASE code WHEN '2000' THEN :amount ELSE -:amount END))[2] AS second_amount
    FROM (
        SELECT * FROM billing_account
        WHERE (code = '2000' AND organisation_id = lpad(':wallet', 32, '0')::uuid AND shard = 0
               OR code = '4000' AND organisation_id IS NULL AND shard = :shard) AND currency = 'CNY'
        ORDER BY id FOR NO KEY UPDATE
    ) AS locked \gset
INSERT INTO billing_ledgertransaction
    (id, effective_at, posted_at, source_type, source_id, purpose, memo, reversal_of_id)
    VALUES (uuidv7(), '2026-05-01 08:00+00', '2026-05-01 08:00+00', 'fee', gen_random_uuid(), 'pgbench', '', NULL)
    RETURNING id AS transaction_id \gset
INSERT INTO billing_ledgerentry
    (id, transaction_id, account_id, currency, amount_minor, account_n, balance_after_minor)
    VALUES (uuidv7(), ':transaction_id', ':first_id', 'CNY', :first_amount, 0, 0),
           (uuidv7(), ':transaction_id', ':second_id', 'CNY', :second_amount, 0, 0);
COMMIT;

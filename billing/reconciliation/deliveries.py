"""The three ways of a delivery: what was agreed and leased, what was reported and rated, what was billed."""

import json
from datetime import datetime
from typing import Any, LiteralString

from django.db import connection

from billing.contracts.rules import ContractStatus
from billing.invoices.rules import InvoiceStatus, Side
from billing.periods.rules import month_of, start_of
from billing.reconciliation.rules import MONTH_PATIENCE, USAGE_PATIENCE, WORK_PATIENCE, Item, ItemKind
from billing.usage.rules import EventKind
from catalog.measures.money import EXPONENTS


def leases_missing(now: datetime, limit: int) -> list[Item]:
    """Return contracts under way or over of which less is metered, unit-time by unit-time, than was agreed."""
    rows = _rows(
        """
        SELECT c.id, c.starts_at, c.buyer_id, o.name, agreed.seconds - coalesce(metered.seconds, 0)
        FROM billing_contract c
        JOIN accounts_organisation o ON o.id = c.buyer_id
        JOIN LATERAL (
            SELECT sum(quantity * extract(epoch FROM ends_at - starts_at)) AS seconds
            FROM billing_contractslot WHERE contract_id = c.id
        ) agreed ON true
        LEFT JOIN LATERAL (
            SELECT sum(p.quantity * extract(epoch FROM p.ends_at - p.starts_at)) AS seconds
            FROM billing_meteringpoint p WHERE p.contract_id = c.id
        ) metered ON true
        WHERE c.starts_at <= %(before)s AND c.terminated_reason = '' AND coalesce(metered.seconds, 0) < agreed.seconds
        ORDER BY c.starts_at, c.id LIMIT %(limit)s
        """,
        before=now - WORK_PATIENCE,
        limit=limit,
    )
    return [
        Item(
            ItemKind.LEASE_MISSING,
            starts_at,
            f"{seconds / 3600:.2f} unit-hours of the contract have no lease: was it scheduled?",
            "contract",
            contract_id,
            organisation_id,
            name,
        )
        for contract_id, starts_at, organisation_id, name, seconds in rows
    ]


def usage_missing(now: datetime, limit: int) -> list[Item]:
    """Return leases that are over and of which the provider has reported nothing at all, though something was owed."""
    rows = _rows(
        """
        SELECT p.id, p.ends_at, p.provider_id, o.name
        FROM billing_meteringpoint p
        JOIN accounts_organisation o ON o.id = p.provider_id
        JOIN billing_contract c ON c.id = p.contract_id
        WHERE p.ends_at <= %(before)s AND c.terminated_reason = ''
          AND NOT EXISTS (
              SELECT 1 FROM billing_usageevent e WHERE e.contract_id = p.contract_id AND e.metering_point_id = p.id
          )
          AND p.quantity * extract(epoch FROM p.ends_at - p.starts_at) > coalesce((
              SELECT sum(g.quantity
                  * extract(epoch FROM least(g.ends_at, p.ends_at) - greatest(g.starts_at, p.starts_at)))
              FROM (
                  SELECT slot_id, starts_at, ends_at, quantity FROM billing_contractrelease
                  UNION ALL SELECT slot_id, starts_at, ends_at, quantity FROM billing_contractresale
              ) g JOIN billing_contractslot s ON s.id = g.slot_id
              WHERE s.contract_id = p.contract_id AND s.offering_id = p.offering_id
                AND g.starts_at < p.ends_at AND g.ends_at > p.starts_at), 0)
        ORDER BY p.ends_at, p.id LIMIT %(limit)s
        """,
        before=now - USAGE_PATIENCE,
        limit=limit,
    )
    return [
        Item(
            ItemKind.USAGE_MISSING,
            ends_at,
            "Nothing was reported for this lease: it is billed as not delivered. Did the agent run?",
            "metering_point",
            point_id,
            organisation_id,
            name,
        )
        for point_id, ends_at, organisation_id, name in rows
    ]


def usage_unrated(now: datetime, limit: int) -> list[Item]:
    """Return contracts that are over with reports that were accepted and never rated."""
    rows = _rows(
        """
        SELECT c.id, min(e.received_at), e.organisation_id, o.name, count(*)
        FROM billing_contract c
        JOIN billing_usageevent e ON e.contract_id = c.id
        JOIN accounts_organisation o ON o.id = e.organisation_id
        WHERE c.ended_at <= %(before)s AND e.received_at <= %(before)s AND e.quantity > 0 AND e.kind <> %(reversal)s
          AND NOT EXISTS (SELECT 1 FROM billing_charge h WHERE h.usage_event_id = e.id)
          AND NOT EXISTS (SELECT 1 FROM billing_usagereversal r WHERE r.reversed_id = e.id)
        GROUP BY c.id, e.organisation_id, o.name ORDER BY 2, c.id LIMIT %(limit)s
        """,
        before=now - WORK_PATIENCE,
        reversal=EventKind.REVERSAL,
        limit=limit,
    )
    return [
        Item(
            ItemKind.USAGE_UNRATED,
            since,
            f"{count} accepted reports have no charge: the contract's last rating did not see them.",
            "contract",
            contract_id,
            organisation_id,
            name,
        )
        for contract_id, since, organisation_id, name, count in rows
    ]


def charges_unbilled(now: datetime, limit: int) -> list[Item]:
    """Return contracts with charges on no invoice though the month they ended in is over, or the contract settled."""
    month_start = start_of(month_of(now - MONTH_PATIENCE))
    rows = _rows(
        """
        SELECT c.id, min(h.ends_at), c.buyer_id, o.name, c.currency, count(*),
               round(sum(h.raw_quantity / h.raw_per_unit * h.price_micros / h.base_quantity)
                     * power(10, (%(minor_units)s::jsonb ->> c.currency)::integer)::numeric / 1000000)
        FROM billing_charge h
        JOIN billing_contract c ON c.id = h.contract_id
        JOIN accounts_organisation o ON o.id = c.buyer_id
        WHERE (h.ends_at <= %(month_start)s OR c.status = %(settled)s) AND h.rated_at <= %(before)s
          AND NOT EXISTS (SELECT 1 FROM billing_billedcharge b WHERE b.charge_id = h.id AND b.side = %(customer)s)
        GROUP BY c.id, o.name ORDER BY 2, c.id LIMIT %(limit)s
        """,
        month_start=month_start,
        settled=ContractStatus.SETTLED,
        before=now - WORK_PATIENCE,
        customer=Side.CUSTOMER,
        minor_units=json.dumps(EXPONENTS),
        limit=limit,
    )
    return [
        Item(
            ItemKind.CHARGE_UNBILLED,
            since,
            f"{count} charges are on no invoice: the month's invoice run has left them out, or they came after it.",
            "contract",
            contract_id,
            organisation_id,
            name,
            int(amount),
            currency,
        )
        for contract_id, since, organisation_id, name, currency, count, amount in rows
    ]


def lines_unlike_charges(now: datetime, limit: int) -> list[Item]:
    """Return issued documents with a line that says another number of charges than stand behind it."""
    rows = _rows(
        """
        SELECT i.id, i.issued_at, i.organisation_id, o.name, i.side, l.n, (l.source ->> 'charges')::bigint, count(b.id)
        FROM billing_invoice i
        JOIN accounts_organisation o ON o.id = i.organisation_id
        JOIN billing_invoiceline l ON l.invoice_id = i.id
        LEFT JOIN billing_billedcharge b ON b.line_id = l.id
        WHERE i.status <> %(draft)s AND l.source ? 'charges'
        GROUP BY i.id, o.name, l.id HAVING (l.source ->> 'charges')::bigint <> count(b.id)
        ORDER BY i.issued_at, l.n LIMIT %(limit)s
        """,
        draft=InvoiceStatus.DRAFT,
        limit=limit,
    )
    return [
        Item(
            ItemKind.LINE_CHARGES,
            issued_at,
            f"Line {n} was made of {said} charges, and {count} are noted behind it.",
            "statement" if side == Side.PROVIDER else "invoice",
            invoice_id,
            organisation_id,
            name,
        )
        for invoice_id, issued_at, organisation_id, name, side, n, said, count in rows
    ]


def _rows(statement: LiteralString, **values: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)  # type: ignore[arg-type]  # texts, numbers and instants
        return list(cursor.fetchall())

"""Invariants of what rounds decided, found by reading their documents as an outsider and by clearing again (M)."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from config.audit.invariants import Check, Finding, Invariant, Violation, by_query
from exchange.auctions import replay
from exchange.auctions.replay import Verdict

# An audit runs every few minutes; `manage.py audit --replay` and `manage.py replay_round --all` do all of them.
CHECKED: Final = 200  # rounds
REPLAYED: Final = 5  # rounds
REPLAYED_CHARACTERS: Final = 50_000  # of a book: some two hundred orders and offers


def _last(most: int, *, characters: int, faults: Callable[[UUID], tuple[str, ...]]) -> Check:
    def check(cursor: CursorWrapper) -> Finding:
        cursor.execute(
            """
            SELECT r.id FROM exchange_round r
            JOIN exchange_roundoutcome o ON o.round_id = r.id JOIN exchange_roundsnapshot s ON s.round_id = r.id
            WHERE length(s.text) <= %s ORDER BY r.scheduled_at DESC, r.id DESC LIMIT %s
            """,
            [characters, most],
        )
        rounds = [round_id for (round_id,) in cursor.fetchall()]
        found = tuple(Violation(str(round_id), fault) for round_id in rounds for fault in faults(round_id))
        return Finding(len(rounds), found)

    return check


def _faults_of_replay(round_id: UUID) -> tuple[str, ...]:
    replayed = replay.replay(round_id)
    return replayed.faults if replayed.verdict is Verdict.DAMAGED else ()


ROUNDS: Final = (
    by_query(
        "M13",
        "a round that was given up by hand was asked for by one person and confirmed by another",
        "void rounds",
        counted="SELECT count(*) FROM exchange_round WHERE status = 'void'",
        violations="""
            SELECT r.id, format('void at %s, its gate is at %s: %s', r.voided_at, r.scheduled_at,
                coalesce(q.said, 'nobody asked for it'))
            FROM exchange_round r LEFT JOIN (
                SELECT round_id, bool_or(state = 'confirmed' AND decided_by_id <> requested_by_id) AS holds,
                    string_agg(format('%s by %s, decided by %s', state, requested_by_id, decided_by_id), '; ') AS said
                FROM exchange_roundvoidrequest GROUP BY 1
            ) q ON q.round_id = r.id
            WHERE r.status = 'void' AND (r.gated_at IS NOT NULL OR r.voided_at < r.scheduled_at)
              AND q.holds IS NOT TRUE
            """,
    ),
    Invariant(
        "M15",
        f"the last {CHECKED} outcomes obey the hard rules of their books, and their certificates prove their bounds",
        "outcomes",
        _last(CHECKED, characters=2**31 - 1, faults=replay.faults_of),
    ),
    Invariant(
        "M16",
        f"the last {REPLAYED} books of at most {REPLAYED_CHARACTERS // 1000} kB clear again to their stored outcomes",
        "books",
        _last(REPLAYED, characters=REPLAYED_CHARACTERS, faults=_faults_of_replay),
    ),
    by_query(
        "M17",
        "an indication was taken in the no-cancel phase of its round, and its odds are of that market's orders",
        "indications",
        counted="SELECT count(*) FROM exchange_indication",
        violations="""
            SELECT i.id, format('taken at %s, the phase is from %s to %s', i.taken_at, r.locks_at, r.scheduled_at)
            FROM exchange_indication i JOIN exchange_round r ON r.id = i.round_id
            WHERE i.taken_at < r.locks_at OR i.taken_at >= r.scheduled_at
            UNION ALL
            SELECT d.id, format('order %s of another market, or more than it wanted: %s of %s',
                d.order_id, d.filled_unit_hours, d.wanted_unit_hours)
            FROM exchange_orderodds d JOIN exchange_indication i ON i.id = d.indication_id
            JOIN exchange_round r ON r.id = i.round_id JOIN exchange_order o ON o.id = d.order_id
            WHERE o.market_id <> r.market_id OR d.filled_unit_hours > d.wanted_unit_hours
            """,
    ),
)

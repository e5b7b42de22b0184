"""Invariants of what rounds decided, found by reading their documents as an outsider and by clearing again (M)."""

from collections.abc import Callable
from typing import Final
from uuid import UUID

from django.db.backends.utils import CursorWrapper

from config.audit.invariants import Check, Finding, Invariant, Violation
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
)

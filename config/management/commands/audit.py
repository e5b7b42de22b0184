"""`manage.py audit`: check every invariant from the outside; exit 1 when one does not hold."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.audit.checks import ALL
from config.audit.invariants import SHOWN, check_all
from exchange.auctions import replay
from exchange.auctions.replay import Verdict


class Command(BaseCommand):
    """Print a line for each invariant: its number, whether it holds, what was counted, the statement."""

    help = "Re-check the invariants of the whole database in SQL of its own. --data DIR audits that embedded database."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--replay", action="store_true", help="also clear the book of every round again")

    def handle(self, *_args: Any, **options: Any) -> None:
        broken = self._check()
        damaged = self._replay() if options["replay"] else 0
        if broken or damaged:
            said = [f"{broken} invariants do not hold"] if broken else []
            said += [f"{damaged} rounds are damaged"] if damaged else []
            raise CommandError(f"{', '.join(said)}.", returncode=1)
        self.stdout.write("All invariants hold.")

    def _check(self) -> int:
        broken = 0
        for invariant, finding in check_all(ALL):
            holds = not finding.violations
            verdict = "ok  " if holds else "FAIL"
            self.stdout.write(
                f"{invariant.code:<4} {verdict} {finding.counted:>9,} {invariant.noun}: {invariant.statement}"
            )
            if holds:
                continue
            broken += 1
            for violation in finding.violations[:SHOWN]:
                self.stdout.write(f"       {violation.subject}: {violation.found}")
            if len(finding.violations) > SHOWN:
                self.stdout.write(f"       and {len(finding.violations) - SHOWN} more")
        return broken

    def _replay(self) -> int:
        """Replay every round outside of the audit's snapshot, which a long look would hold open; return the damaged."""
        seen = damaged = 0
        for round_id in replay.round_ids():
            found = replay.replay(round_id)
            seen += 1
            damaged += found.verdict is Verdict.DAMAGED
            if found.verdict is not Verdict.SAME:
                for line in found.lines():
                    self.stdout.write(f"       {line}")
        self.stdout.write(f"Replayed {seen} rounds, {damaged} damaged.")
        return damaged

"""`manage.py audit`: check every invariant from the outside; exit 1 when one does not hold."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.audit.checks import ALL
from config.audit.invariants import SHOWN, check_all


class Command(BaseCommand):
    """Print a line for each invariant: its number, whether it holds, what was counted, the statement."""

    help = "Re-check the invariants of the whole database in SQL of its own. --data DIR audits that embedded database."

    def handle(self, *_args: Any, **_options: Any) -> None:
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
        if broken:
            raise CommandError(f"{broken} invariants do not hold.", returncode=1)
        self.stdout.write("All invariants hold.")

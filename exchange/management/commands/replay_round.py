"""`manage.py replay_round`: clear stored books again and compare."""

from argparse import ArgumentParser
from collections import Counter
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from accounts.foundation import ids
from accounts.foundation.ids import MalformedId
from exchange.auctions import replay
from exchange.auctions.replay import Verdict
from exchange.rounds.models import RoundOutcome


class Command(BaseCommand):
    """Print a line for each round; exit 1 when one is damaged. Writes nothing."""

    help = "Check the stored documents of rounds, clear their books again and compare outcome and certificate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare which rounds."""
        parser.add_argument("rounds", nargs="*", metavar="ID", help="a round, rnd_...")
        parser.add_argument("--all", action="store_true", help="every round that has an outcome, the oldest first")

    def handle(self, *args: object, **options: Any) -> None:
        """Replay them one after the other."""
        if bool(options["rounds"]) == options["all"]:
            raise CommandError("Name rounds, or say --all.")
        verdicts: Counter[Verdict] = Counter()
        for round_id in replay.round_ids() if options["all"] else [_round_id(text) for text in options["rounds"]]:
            try:
                found = replay.replay(round_id)
            except RoundOutcome.DoesNotExist as error:
                raise CommandError(f"{ids.spell('rnd', round_id)} has no outcome that could be replayed.") from error
            verdicts[found.verdict] += 1
            for line in found.lines():
                self.stdout.write(line)
        said = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
        if verdicts[Verdict.DAMAGED]:
            raise CommandError(f"{said}.", returncode=1)
        self.stdout.write(f"{said or 'No round has an outcome yet'}.")


def _round_id(text: str) -> UUID:
    try:
        return ids.parse("rnd", text)
    except MalformedId as error:
        raise CommandError(f"Expected the id of a round such as rnd_..., got {text[:60]!r}.") from error

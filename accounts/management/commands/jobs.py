"""`manage.py jobs`: what is parked and waits for a person, and the way to have it tried again."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count

from accounts.actors.actor import Actor
from accounts.foundation import clock, ids
from accounts.foundation.errors import DomainError
from accounts.jobs import services
from accounts.jobs.models import Job
from accounts.jobs.rules import JobState

_OPERATOR: Final = Actor.system("jobs")


class Command(BaseCommand):
    """Without options print how many jobs stand where, and each parked one with its last error."""

    help = "Show the jobs that failed too often and were put aside; --retry has one of them (or all) tried again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what is tried again."""
        parser.add_argument("--retry", metavar="JOB", help="a parked job (job_...), or `all` of them")

    def handle(self, *_args: object, **options: Any) -> None:
        """Show or try again; exit 1 when the job is not parked."""
        if options["retry"]:
            self._retry(options["retry"])
            return
        counts = Job.objects.values_list("state").annotate(count=Count("id")).order_by("state")
        self.stdout.write(", ".join(f"{count:,} {state}" for state, count in counts) or "There are no jobs.")
        for job in _parked():
            self.stdout.write(f"{ids.spell('job', job.id)}  {job.kind} {job.key}: {job.last_error}")

    def _retry(self, which: str) -> None:
        now = clock.now()
        try:
            wanted = [job.id for job in _parked()] if which == "all" else [ids.parse("job", which)]
            for job_id in wanted:
                self.stdout.write(f"{services.unpark(_OPERATOR, job_id, now=now)} is tried again.")
        except DomainError as refusal:
            raise CommandError(f"No parked job {which}: {refusal.detail}") from refusal


def _parked() -> list[Job]:
    return list(Job.objects.filter(state=JobState.PARKED).order_by("created_at", "id"))

"""A project's budget, with what holds and invoices have taken of it as a locked summary row."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.foundation import ids, strict
from accounts.projects.models import Project


class ProjectBudget(models.Model):
    """What a project may spend in a currency, from its beginning on; held and captured are kept by a trigger.

    `extras_minor` are metered extras that nothing was held for; only they may take a budget beyond its limit, by
    `overrun_minor`, which shrinks by itself. `credited_minor` is what credit notes gave back.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    project = models.ForeignKey(Project, on_delete=models.PROTECT, related_name="budgets")
    currency = models.CharField(max_length=3)
    limit_minor = models.BigIntegerField()
    held_minor = models.BigIntegerField()
    captured_minor = models.BigIntegerField()
    extras_minor = models.BigIntegerField()
    credited_minor = models.BigIntegerField(default=0)
    overrun_minor = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["project", "currency"], name="project_budget_once"),
            models.CheckConstraint(
                condition=Q(
                    limit_minor__gte=0,
                    held_minor__gte=0,
                    captured_minor__gte=0,
                    extras_minor__gte=0,
                    credited_minor__gte=0,
                    credited_minor__lte=F("captured_minor") + F("extras_minor"),
                    overrun_minor__gte=0,
                ),
                name="project_budget_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    limit_minor__gte=F("held_minor")
                    + F("captured_minor")
                    + F("extras_minor")
                    - F("credited_minor")
                    - F("overrun_minor")
                ),
                name="project_budget_never_overshot",
            ),
            models.CheckConstraint(
                condition=Q(changed_at__gte=strict.EARLIEST, changed_at__lt=strict.LATEST),
                name="project_budget_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.limit_minor} {self.currency}"

    @property
    def committed_minor(self) -> int:
        """What is taken of it: held for orders and contracts, and invoiced less what was credited."""
        return self.held_minor + self.captured_minor + self.extras_minor - self.credited_minor

    @property
    def left_minor(self) -> int:
        """What may still be committed; below zero after extras."""
        return self.limit_minor - self.committed_minor

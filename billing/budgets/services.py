"""What the books ask of a budget, in their own transactions; it is locked after the wallet of its organisation."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from accounts.events import services as events
from accounts.foundation import ids
from billing.budgets.models import ProjectBudget
from catalog.measures.money import format_minor


def left_minor(project_id: UUID, currency: str) -> int | None:
    """Return what a project may still commit, its row locked until the transaction ends; None without a budget."""
    budget = (
        ProjectBudget.objects.select_for_update(no_key=True).filter(project_id=project_id, currency=currency).first()
    )
    return None if budget is None else budget.left_minor


def add_extras(extras_minor: Mapping[tuple[UUID, str], int], *, now: datetime) -> None:
    """Count what invoices have taken beyond their holds, by project and currency.

    It has been delivered, so no limit can stop it; a budget that it takes beyond its limit is told.
    """
    project_ids = {project_id for (project_id, _), minor in extras_minor.items() if minor > 0}
    budgets = ProjectBudget.objects.select_for_update(no_key=True, of=("self",)).filter(project_id__in=project_ids)
    for budget in budgets.select_related("project").order_by("id"):
        more_minor = extras_minor.get((budget.project_id, budget.currency), 0)
        if more_minor > 0:
            before_minor = budget.overrun_minor
            budget.extras_minor += more_minor
            budget.overrun_minor = max(0, -budget.left_minor)
            budget.save(update_fields=["extras_minor", "overrun_minor"])
            if budget.overrun_minor > before_minor:
                _tell_overrun(budget, now=now)


def _tell_overrun(budget: ProjectBudget, *, now: datetime) -> None:
    told = {
        "project": ids.spell("prj", budget.project_id),
        "budget": format_minor(budget.limit_minor, budget.currency),
        "overrun": format_minor(budget.overrun_minor, budget.currency),
        "currency": budget.currency,
    }
    events.emit("budget.overrun", "project", budget.project_id, budget.project.organisation_id, told, now=now)


def give_back(credited_minor: Mapping[tuple[UUID, str], int]) -> None:
    """Count what documents have credited, by project and currency: it may be spent again."""
    project_ids = {project_id for (project_id, _), minor in credited_minor.items() if minor > 0}
    budgets = ProjectBudget.objects.select_for_update(no_key=True).filter(project_id__in=project_ids)
    for budget in budgets.order_by("id"):
        budget.credited_minor += credited_minor.get((budget.project_id, budget.currency), 0)
        budget.overrun_minor = max(0, -budget.left_minor)
        budget.save(update_fields=["credited_minor", "overrun_minor"])

"""What the books ask of a budget, in their own transactions; it is locked after the wallet of its organisation."""

from uuid import UUID

from billing.budgets.models import ProjectBudget


def left_minor(project_id: UUID, currency: str) -> int | None:
    """Return what a project may still commit, its row locked until the transaction ends; None without a budget."""
    budget = (
        ProjectBudget.objects.select_for_update(no_key=True).filter(project_id=project_id, currency=currency).first()
    )
    return None if budget is None else budget.left_minor


def add_extras(project_id: UUID, currency: str, extras_minor: int) -> None:
    """Count what an invoice has taken beyond its hold; it has been delivered, so no limit can stop it."""
    budget = (
        ProjectBudget.objects.select_for_update(no_key=True).filter(project_id=project_id, currency=currency).first()
    )
    if budget is None or extras_minor <= 0:
        return
    budget.extras_minor += extras_minor
    budget.overrun_minor = max(0, -budget.left_minor)
    budget.save(update_fields=["extras_minor", "overrun_minor"])

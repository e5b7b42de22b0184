"""Budgets and warnings of a buyer, and credit limits of finance, on pages."""

from django.urls import reverse

from accounts.actors.actor import Capability
from accounts.events.models import Event
from accounts.organisations import queries as organisations
from accounts.organisations.rules import Role
from accounts.projects.models import Project
from billing.budgets.models import ProjectBudget
from billing.ledger import queries as ledger
from billing.wallets import services
from billing.wallets.models import CreditLimitChange
from exchange.demo.cast import acting_for
from tests.exchange import cast
from tests.exchange.cast import Story
from tests.pages.visitors import signed_in


def test_an_administrator_bounds_a_project_and_has_the_lab_warned(story: Story) -> None:
    admin = signed_in(story.beichen, Role.BUYER_ADMIN)
    project = Project.objects.filter(organisation_id=story.beichen.organisation()).first()
    assert project is not None
    answer = admin.post(reverse("budget_set"), {"project": str(project.id), "limit": "100.00"})
    assert answer.status_code == 302
    assert ProjectBudget.objects.get().limit_minor == 10_000
    assert "100.00" in admin.get(reverse("limits")).content.decode()
    assert admin.post(reverse("budget_set"), {"project": str(project.id), "limit": "x"}).status_code == 422
    admin.post(reverse("threshold_add"), {"below": "99999.00"})
    assert services.watch(now=cast.NOW) == 1
    assert Event.objects.filter(type="wallet.low").count() == 1
    assert "Has warned" in admin.get(reverse("limits")).content.decode()
    admin.post(reverse("thresholds_clear"))
    assert "Nobody is warned" in admin.get(reverse("limits")).content.decode()
    assert signed_in(story.beichen, Role.BUYER_VIEWER).post(reverse("budget_set")).status_code == 403


def test_two_people_of_finance_give_credit(story: Story) -> None:
    house = acting_for(organisations.operator(), Capability.VIEW_BOOKS)
    clerk, approver = signed_in(house, Role.FINANCE_OPERATOR), signed_in(house, Role.FINANCE_APPROVER)
    buyer = story.beichen.organisation()
    typed = {"organisation": str(buyer), "limit": "500.00", "reason": "two good years"}
    assert clerk.post(reverse("credit"), typed).status_code == 302
    assert clerk.post(reverse("credit"), typed).status_code == 422
    change = CreditLimitChange.objects.get()
    assert clerk.post(reverse("credit_decide", args=[change.id]), {"answer": "yes"}).status_code == 403
    assert "two good years" in approver.get(reverse("credit")).content.decode()
    approver.post(reverse("credit_decide", args=[change.id]), {"answer": "yes"})
    assert ledger.funds(buyer, "CNY").credit_limit_minor == 50_000

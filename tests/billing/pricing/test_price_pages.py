"""What finance reads about prices: rate cards with their tiers, customer classes, adjustments."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.actors.actor import Capability
from accounts.foundation import ids
from accounts.organisations.models import Organisation
from accounts.organisations.rules import Role
from tests.accounts import cast as people
from tests.billing import cast
from tests.billing.cast import Desk
from tests.catalog import cast as catalogue

pytestmark = pytest.mark.django_db


def reader(desk: Desk, role: Role) -> Client:
    house = Organisation.objects.get(can_operate=True) if role is Role.FINANCE_VIEWER else desk.lab
    client = Client()
    client.force_login(people.member(house, f"reader-{role}", role))
    return client


def test_finance_reads_what_providers_charge_and_whom_they_charge_less() -> None:
    desk = cast.desk()
    house = Organisation.objects.get(can_operate=True)
    operator = catalogue.acting_for(house, frozenset({Capability.OPERATE}))
    owner = catalogue.acting_for(Organisation.objects.get(id=desk.provider.id), catalogue.SELLING)
    offering = catalogue.listed_offering(operator, owner, catalogue.listed_site(operator, "zjk-1"))
    spelled = ids.spell("ofr", offering.id)
    finance, buyer = reader(desk, Role.FINANCE_VIEWER), reader(desk, Role.BUYER_VIEWER)
    pages = ("customer_classes", "price_adjustments")
    assert all("No provider" in finance.get(reverse(page)).content.decode() for page in pages)

    tiers = [{"up_to": 1000, "price": "0.50"}, {"price": "0.40"}]
    item = {"meter": "egress_gb", "model": "graduated", "minimum": "10.00", "period": "month", "tiers": tiers}
    card = desk.seller.post(f"/v1/offerings/{spelled}/rate-cards", {"currency": "CNY", "items": [item]})
    given = {"buyer": ids.spell("org", desk.lab.id), "customer_class": "partner"}
    adjusted = {"offering": spelled, "factor_ppm": 800_000, "customer_class": "partner"}
    assert card.status_code == 201
    assert desk.seller.post("/v1/customer-classes", given).status_code == 201
    assert desk.seller.post("/v1/price-adjustments", adjusted).status_code == 201

    for page in (finance.get(reverse("rate_cards")), buyer.get(reverse("offering", args=[offering.id]))):
        shown = page.content.decode()
        assert "up to 1,000: 0.50 CNY" in shown
        assert "beyond: 0.40 CNY" in shown
        assert "10.00 CNY" in shown
    assert "partner" in finance.get(reverse("customer_classes")).content.decode()
    assert "80 %" in finance.get(reverse("price_adjustments")).content.decode()
    for page_name in ("rate_cards", *pages):
        assert buyer.get(reverse(page_name)).status_code == 403

"""Vouchers as rows: each has its result, and what can be issued is."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.foundation import clock, ids
from accounts.organisations.rules import Role
from billing.ledger import queries as books
from billing.ledger.chart import Code
from billing.pricing.models import Voucher
from tests.accounts import cast as people
from tests.api.caller import Api
from tests.billing import delivery
from tests.billing.delivery import AFTER

pytestmark = pytest.mark.django_db


def test_each_row_has_its_result_and_good_ones_are_issued() -> None:
    with clock.travel(AFTER):
        stage = delivery.stage()
        user = people.member(stage.exchange, "clerk", Role.FINANCE_OPERATOR)
        clerk = Api.signed_in(user)
        buyer, seller = ids.spell("org", stage.buyer.id), ids.spell("org", stage.provider.id)
        ends = (AFTER + timedelta(days=9)).isoformat()
        lines = [
            "organisation,code,amount,currency,valid_to,meters",
            f"{buyer},V-1,50.00,CNY,{ends},egress_gb",
            f"{buyer},V-1,50.00,CNY,{ends},",
            f"{buyer},V-2,-1,CNY,{ends},",
            f"{buyer},V-3,1.00,XXX,soon,",
            f"nobody,,1.00,CNY,{ends},",
            f"{buyer},V-4,1.00,CNY,{AFTER.isoformat()},",
            f"{buyer},V-5,1.00,CNY,{ends},bananas",
            f"{seller},V-6,1.00,CNY,{ends},",
        ]
        answer = clerk.post("/v1/voucher-imports", {"content": "\n".join(lines)})
        rows = answer.json()["rows"]
        assert [row["result"] for row in rows] == ["issued", *["refused"] * 7]
        fields = [[problem["field"] for problem in row["problems"]] for row in rows[1:]]
        assert fields == [
            ["code"],
            ["amount"],
            ["currency", "valid_to"],
            ["organisation", "code"],
            ["valid_to"],
            ["meters/0"],
            ["organisation"],
        ]
        objects = [{"organisation": buyer, "code": "V-7", "amount": "2.00", "currency": "CNY", "valid_to": ends}, []]
        rows = clerk.post("/v1/voucher-imports", {"rows": objects}).json()["rows"]
        assert [row["result"] for row in rows] == ["issued", "refused"]
        assert books.balance(Code.VOUCHERS, "CNY") == -52_00
        assert Voucher.objects.get(code="V-1").meters == ["egress_gb"]
        page = Client()
        page.force_login(user)
        file = SimpleUploadedFile("v.csv", "\n".join([*lines[:1], *lines[3:4]]).encode())
        assert "a plain amount above zero" in page.post(reverse("voucher_import"), {"file": file}).content.decode()
        assert "V-7" in page.get(reverse("vouchers")).content.decode()

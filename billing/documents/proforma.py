"""The pro-forma of a bank top-up: what is to be paid, where to, and the reference to quote. It is no invoice."""

from datetime import datetime
from typing import Final

from django.conf import settings
from django.db.models import Q

from accounts.foundation import ids
from accounts.organisations.models import LegalEntity, Organisation
from billing.documents.sheet import Party, Row, Sheet, grouped
from billing.documents.words import Language
from billing.payments.models import TopUp
from billing.periods.rules import BOOKS_ZONE

_WORDS: Final[dict[Language, dict[str, str]]] = {
    Language.ENGLISH: {
        "title": "Pro-forma",
        "reference": "Quote in the transfer",
        "announced": "Announced",
        "account": "Pay to",
        "ask": "Ask the exchange for its bank account.",
        "seller": "Recipient",
        "buyer": "Payer",
        "line": "Top-up of the prepaid balance",
        "total": "To transfer",
        "note": "This is no invoice and no fapiao. The balance is credited once the bank shows the transfer.",
        "exact": "Transfer exactly this amount in one transfer and quote the reference.",
        "page": "{number}, page {page}",
        "heads": "Description|Quantity|Unit|Unit price|VAT|Amount",
    },
    Language.CHINESE: {
        "title": "形式账单",
        "reference": "汇款附言",
        "announced": "申请时间",
        "account": "收款账户",
        "ask": "请向交易所索取收款账户。",
        "seller": "收款方",
        "buyer": "付款方",
        "line": "预付余额充值",
        "total": "应汇金额",
        "note": "本单据不是账单，也不是发票。银行到账后计入预付余额。",
        "exact": "请一次汇足该金额，并在附言中填写编号。",
        "page": "{number} 第 {page} 页",
        "heads": "项目|数量|单位|单价|税率|金额",
    },
}


def sheet(top_up: TopUp, language: Language, *, now: datetime) -> Sheet:
    """Return the pro-forma of a top-up as text; the parties are as the law knows them now."""
    said = _WORDS[language]
    amount = grouped(top_up.amount_minor, top_up.currency)
    operator = Organisation.objects.filter(can_operate=True).order_by("id")[0]  # who announced it was let in by one
    announced = top_up.created_at.astimezone(BOOKS_ZONE)
    return Sheet(
        language=language,
        title=said["title"],
        number=top_up.reference,
        facts=(
            (said["reference"], top_up.reference),
            (said["account"], settings.EXCHANGE_BANK_ACCOUNT or said["ask"]),
            (said["announced"], f"{announced:%Y-%m-%d %H:%M} (Asia/Shanghai)"),
            ("ID", ids.spell("top", top_up.id)),
        ),
        parties=(_party(said["seller"], operator, now), _party(said["buyer"], top_up.organisation, now)),
        heads=tuple(said["heads"].split("|")),
        rows=(Row(said["line"], "1", "", amount, "", amount),),
        sums=(),
        total=(said["total"], f"{amount} {top_up.currency}"),
        notes=(said["exact"], said["note"]),
        page=said["page"].replace("{number}", top_up.reference),
    )


def _party(role: str, organisation: Organisation, now: datetime) -> Party:
    holds = Q(effective_to__isnull=True) | Q(effective_to__gt=now)
    entity = LegalEntity.objects.filter(holds, organisation=organisation, effective_from__lte=now).first()
    if entity is None:
        return Party(role, organisation.name, "", "")
    return Party(role, entity.legal_name, entity.address, entity.tax_id)

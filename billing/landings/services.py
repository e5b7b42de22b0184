"""The verbs of landings: look whether a wallet has run out or was filled up again, and refuse new use."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import F

from accounts.actors.actor import Actor
from accounts.audit import services as audit
from accounts.events import services as events
from accounts.foundation.failures import Failures
from billing.landings import queries, rules
from billing.landings.errors import WalletStopped
from billing.landings.models import WalletLanding
from billing.landings.rules import Stage
from billing.ledger import services as ledger
from billing.ledger.chart import Code
from billing.ledger.models import Account
from catalog.measures.money import Money, format_minor

_CLOCK: Final = Actor.system("landings")


def watch(*, now: datetime) -> int:
    """Look at every wallet that is short or was; return how many moved to another stage.

    One that fails keeps no other waiting.
    """
    short = Account.objects.filter(
        code=Code.WALLET, credit_limit_minor__lt=F("balance_minor") + F("held_minor"), organisation_id__isnull=False
    )
    landing = WalletLanding.objects.exclude(status=Stage.LIFTED)
    wallets = {
        *short.values_list("organisation_id", "currency"),
        *landing.values_list("organisation_id", "currency"),
    }
    failures, moved = Failures(), 0
    for organisation_id, currency in sorted(wallets):
        with failures.kept(f"landing {organisation_id} {currency}"):
            moved += look(organisation_id, currency, now=now)
    failures.raise_any()
    return moved


@transaction.atomic
def look(organisation_id: UUID, currency: str, *, now: datetime) -> bool:
    """Move one wallet's landing by at most one stage; return whether it moved. Safe to run twice and at once."""
    # A top-up posts under the same lock: it is seen here, or it sees what we did when the next one looks.
    account = ledger.locked_wallet(organisation_id, currency=currency, now=now)
    missing = Money(account.balance_minor + account.held_minor - account.credit_limit_minor, currency)
    landings = WalletLanding.objects.select_for_update(no_key=True).exclude(status=Stage.LIFTED)
    landing = landings.filter(organisation_id=organisation_id, currency=currency).first()
    if landing is None:
        if missing.amount_minor <= 0:
            return False
        _begin(organisation_id, missing, now=now)
        return True
    stage = Stage(landing.status)
    due_at = landing.stops_at if stage is Stage.GRACE else landing.releases_at
    following = rules.after(stage, is_short=missing.amount_minor > 0, is_due=now >= due_at)
    if following is stage:
        return False
    _move(landing, following, missing, now=now)
    return True


def check_open(organisation_id: UUID, currency: str, *, now: datetime) -> None:
    """Refuse new use of a stopped wallet; one that has enough again is lifted here and now.

    Raises WalletStopped.
    """
    if not queries.stopped(currency).filter(organisation_id=organisation_id).exists():
        return
    look(organisation_id, currency, now=now)
    landing = queries.stopped(currency).filter(organisation_id=organisation_id).first()
    if landing is None:
        return
    account = ledger.locked_wallet(organisation_id, currency=currency, now=now)
    missing = account.balance_minor + account.held_minor - account.credit_limit_minor
    assert landing.stopped_at is not None, landing
    raise WalletStopped(Money(missing, currency), since=landing.stopped_at)


def _begin(organisation_id: UUID, missing: Money, *, now: datetime) -> None:
    policy = queries.policy_at(now)
    stops_at = now + timedelta(hours=policy.grace_hours)
    landing = WalletLanding.objects.create(
        organisation_id=organisation_id,
        currency=missing.currency,
        status=Stage.GRACE,
        began_at=now,
        stops_at=stops_at,
        releases_at=stops_at + timedelta(hours=policy.notice_hours),
    )
    _tell(landing, None, missing, now=now)


def _move(landing: WalletLanding, stage: Stage, missing: Money, *, now: datetime) -> None:
    before = Stage(landing.status)
    landing.status = stage
    if stage is Stage.STOPPED:
        # Whoever is stopped late keeps the whole notice.
        landing.releases_at += max(timedelta(), now - landing.stops_at)
        landing.stopped_at = now
    elif stage is Stage.RELEASING:
        landing.releasing_at = now
    else:
        landing.lifted_at = now
    landing.save(update_fields=["status", "releases_at", "stopped_at", "releasing_at", "lifted_at"])
    _tell(landing, before, missing, now=now)


def _tell(landing: WalletLanding, before: Stage | None, missing: Money, *, now: datetime) -> None:
    said = {
        "stage": str(landing.status),
        "currency": landing.currency,
        "missing": format_minor(max(0, missing.amount_minor), landing.currency),
        "stops_at": landing.stops_at.isoformat(),
        "releases_at": landing.releases_at.isoformat(),
    }
    was = None if before is None else {"stage": str(before)}
    audit.record(
        _CLOCK,
        f"wallet_landing.{landing.status}",
        "wallet_landing",
        landing.id,
        was,
        said,
        now=now,
        organisation_id=landing.organisation_id,
    )
    events.emit(f"wallet.{landing.status}", "wallet_landing", landing.id, landing.organisation_id, said, now=now)

"""Two questions a supervisor asks: is the process alive, and can it serve."""

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.foundation import clock
from config import schema
from exchange.auctions import watch


@require_safe
@never_cache
def alive(request: HttpRequest) -> JsonResponse:
    """Answer 200 whenever the process can answer at all."""
    return JsonResponse({"status": "alive"})


@require_safe
@never_cache
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database, its schema and the broker are there, else 503 with what is missing.

    `overdue_rounds` says how many rounds wait too long (null where nobody can tell): for an alarm, and no
    reason to take this process out of service.
    """
    checks: dict[str, Callable[[], bool]] = {
        "database": _database,
        "migrations": _migrations,
        "broker": _broker,
    }
    results = {name: check() for name, check in checks.items()}
    serving = all(results.values())
    return JsonResponse(
        {"status": "ready" if serving else "unready", **results, "overdue_rounds": _overdue_rounds()},
        status=200 if serving else 503,
    )


def _overdue_rounds() -> int | None:
    try:
        return len(watch.overdue(now=clock.now()))
    except DatabaseError:
        return None


def _database() -> bool:
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _migrations() -> bool:
    try:
        return schema.is_current()
    except DatabaseError:
        return False


def _broker() -> bool:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False

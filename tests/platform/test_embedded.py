"""The services that come with the exchange."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from config import embedded, keys
from config.embedded import processes

_HOLD = """
import sys, time
from pathlib import Path
from config import embedded
with embedded.running(Path(sys.argv[1]), command="hold") as services:
    print(*services.processes.values(), flush=True)
    time.sleep(600)
"""


def _holder(data: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[str], list[int]]:
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(data)], cwd=root, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, [int(word) for word in process.stdout.readline().split()]


def test_data_survive_a_restart_and_the_roles_differ(data: Path) -> None:
    with embedded.running(data) as services:
        with psycopg.connect(services.owner_url) as owner:
            owner.execute("CREATE TABLE kept (n int)")
            owner.execute("INSERT INTO kept VALUES (7)")
        with redis.Redis.from_url(services.redis_url) as broker:
            broker.set("kept", "7")
    assert not any(map(processes.is_alive, services.processes.values()))
    with embedded.running(data) as again:
        with psycopg.connect(again.owner_url) as owner:
            assert owner.execute("SELECT n FROM kept").fetchone() == (7,)
        with psycopg.connect(again.database_url) as application, pytest.raises(psycopg.errors.InsufficientPrivilege):
            application.execute("SELECT n FROM kept")
        with redis.Redis.from_url(again.redis_url) as broker:
            assert broker.get("kept") == b"7"


def test_the_owner_may_use_the_index_types_that_exclusion_needs(data: Path) -> None:
    with embedded.running(data) as services, psycopg.connect(services.owner_url) as owner:
        owner.execute("CREATE EXTENSION btree_gist")
        is_superuser = owner.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        assert is_superuser == (False,)


def test_nobody_else_can_read_the_secrets_or_use_the_services_without_them(data: Path) -> None:
    with embedded.running(data) as services:
        for path in (data / "secrets").iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE((data / "services.json").stat().st_mode) == 0o600
        password = psycopg.conninfo.conninfo_to_dict(services.database_url)["password"]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(services.database_url.replace(str(password), "guess"))
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url("redis://" + services.redis_url.rpartition("@")[2]).ping()


def test_a_second_process_uses_the_services_of_the_first(data: Path) -> None:
    with embedded.running(data) as first, embedded.running(data) as second:
        assert second == first


def test_a_second_process_that_wants_the_data_for_itself_is_told_who_has_them(data: Path) -> None:
    with (
        embedded.running(data, command="up"),
        pytest.raises(embedded.DataInUse, match=rf"`manage.py up` \(process {os.getpid()}\)"),
        embedded.running(data, exclusive=True),
    ):
        raise AssertionError("two processes had the same data")


def test_addresses_from_outside_are_used_as_they_are(data: Path) -> None:
    given = {"DATABASE_URL": "postgres://a@b/c", "REDIS_URL": "redis://d/0"}
    with embedded.running(data, environment=given) as services:
        assert services.processes == {}
        assert services.environment() == given | {"EXCHANGE_DATA": str(data)}


def test_services_end_with_a_process_that_is_killed_and_start_again(
    data: Path, bare_environment: dict[str, str]
) -> None:
    holder, servers = _holder(data, bare_environment)
    assert len(servers) == 2
    holder.kill()
    holder.wait()
    with embedded.running(data) as services:  # also at once, while the old ones may still be ending
        assert not set(servers) & set(services.processes.values())
    assert processes.wait_until(lambda: not any(map(processes.is_alive, servers)), seconds=30)


def test_a_server_that_dies_leaves_what_was_committed(data: Path, bare_environment: dict[str, str]) -> None:
    with embedded.running(data) as services:
        with psycopg.connect(services.owner_url, autocommit=True) as owner:
            owner.execute("CREATE TABLE kept AS SELECT 1 AS n")
        os.kill(services.processes["postgres"], signal.SIGKILL)
    with embedded.running(data) as again, psycopg.connect(again.owner_url) as owner:
        assert owner.execute("SELECT n FROM kept").fetchone() == (1,)


def test_lost_secrets_are_explained(data: Path) -> None:
    with embedded.running(data):
        pass
    (data / "secrets" / "postgres_password").unlink()
    with pytest.raises(embedded.EmbeddedError, match="secrets"), embedded.running(data):
        raise AssertionError("a cluster opened without its password")


def test_a_secret_is_made_once(data: Path) -> None:
    assert keys.stored(data, "one") == keys.stored(data, "one")
    assert keys.stored(data, "one") != keys.stored(data, "other")

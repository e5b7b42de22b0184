"""A PostgreSQL with a migrated database of its own, removed afterwards, and the work that it and we have done."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")


def worked(server: int) -> float:
    """Return the CPU seconds of this process, its children that ended, and the server's; waiting does not count."""
    own = os.times()
    total = own.user + own.system + own.children_user + own.children_system
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        pid, parent = int(stat.parent.name), int(fields[1])
        if server in {pid, parent}:
            total += sum(map(int, fields[11:15] if pid == server else fields[11:13])) / _TICKS
    return total


class Server(NamedTuple):
    """The process of the server, and the directory of PostgreSQL's programs."""

    process: int
    programs: Path


def serve(stack: ExitStack, *, durable: bool = False) -> Server:
    """Start it, and set Django up as the application's role; commits wait for the disk only where they shall."""
    from config import keys
    from config.databases import APPLICATION_ROLE
    from config.embedded import postgres

    data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
    data.chmod(0o711)
    roles = (postgres.SUPERUSER, postgres.OWNER_ROLE, APPLICATION_ROLE)
    server = postgres.Postgres(
        data / "postgres",
        passwords={role: keys.random_text() for role in roles},
        log=data / "postgres.log",
        durable=durable,
    )
    stack.callback(server.stop)
    os.environ.update(
        DJANGO_SETTINGS_MODULE="config.settings",
        EXCHANGE_DATA=str(data),
        DATABASE_URL=server.url(APPLICATION_ROLE),
        DATABASE_OWNER_URL=server.url(postgres.OWNER_ROLE),
        SUPERUSER_URL=server.url(postgres.SUPERUSER),
        REDIS_URL="redis://127.0.0.1:1/0",  # nothing here rings a bell
    )
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0, interactive=False)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()
    parent = int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])
    connection.close()
    return Server(parent, server.programs)

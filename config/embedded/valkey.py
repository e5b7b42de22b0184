"""One Valkey server for one data directory."""

import signal
import socket
import subprocess
from pathlib import Path
from typing import Final

from config.embedded import binaries, processes
from config.embedded.errors import EmbeddedError

_START_SECONDS: Final = 20
_STOP_SECONDS: Final = 10


class Valkey:
    """A running server; `url` is its address with the password in it."""

    def __init__(self, directory: Path, *, password: str, log: Path, databases: int = 16) -> None:
        """Start the server and wait until it answers.

        Raises EmbeddedError with the end of its log when it does not within 20 seconds.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.port = processes.free_port()
        self.password = password
        self.url = f"redis://:{password}@127.0.0.1:{self.port}/0"
        self.log = log
        settings = directory / "valkey.conf"
        # In a file and not on the command line, where every user of the machine could read the password.
        settings.touch(mode=0o600)
        settings.write_text(self._settings(directory, password, databases))
        with log.open("ab") as output:
            self.process: subprocess.Popen[bytes] = processes.spawn(
                [str(binaries.valkey()), str(settings)],
                output=output,
                directory=directory,
            )
        if not processes.wait_until(
            lambda: self.process.poll() is not None or self._answers(),
            seconds=_START_SECONDS,
        ):
            self.stop()
            raise EmbeddedError(f"Valkey did not answer within {_START_SECONDS} s; its log is {log}.")
        if self.process.poll() is not None:
            raise EmbeddedError(f"Valkey ended at its start with code {self.process.returncode}; its log is {log}.")

    def _settings(self, directory: Path, password: str, databases: int) -> str:
        # Appending to disk every second and never evicting: a full memory must be an error, not a lost message.
        lines = {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "dir": '"' + str(directory).replace("\\", "\\\\").replace('"', '\\"') + '"',
            "requirepass": password,
            "databases": str(databases),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "save": '""',
            "daemonize": "no",
        }
        return "".join(f"{name} {value}\n" for name, value in lines.items())

    def _answers(self) -> bool:
        # By hand: importing a client takes longer than the server's whole start.
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answers:
                    return answers.read().startswith(b"+OK\r\n+PONG\r\n")
        except OSError:
            return False

    def stop(self) -> None:
        """End the server; what it was told is on disk."""
        processes.stop(self.process, first=signal.SIGTERM, seconds=_STOP_SECONDS)

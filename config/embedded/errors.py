"""What the embedded services refuse, in sentences for the person at the terminal."""


class EmbeddedError(Exception):
    """The embedded services cannot be had here; the message says why and what to do."""


class DataInUse(EmbeddedError):
    """Another process has these data."""

    def __init__(self, data: str, pid: int, command: str, url: str) -> None:
        place = f" and serves {url}" if url else ""
        super().__init__(f"{data} is in use by `manage.py {command}` (process {pid}){place}. Stop it first.")

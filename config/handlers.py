"""Which function of which app does each kind of job: the one place where all of them are known."""


def register_all() -> None:
    """Name the handler of every kind of job; called as the process starts."""

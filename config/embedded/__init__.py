"""PostgreSQL and Valkey beside the exchange, for a machine that has neither configured.

`running(data)` is the way in. It knows nothing of Django: the addresses it gives go into the
environment before the settings are read.
"""

from config.embedded.errors import DataInUse, EmbeddedError
from config.embedded.services import Services, running

__all__ = ["DataInUse", "EmbeddedError", "Services", "running"]

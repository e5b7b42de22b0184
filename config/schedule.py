"""What beat rings, and how often. Static: the rows it points at decide what is due."""

from typing import Any, Final

# name -> {"task": dotted name, "schedule": seconds or crontab}
BEAT_SCHEDULE: Final[dict[str, dict[str, Any]]] = {}

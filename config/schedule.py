"""What beat rings, and how often. Static: the rows it points at decide what is due."""

from typing import Any, Final

# name -> {"task": dotted name, "schedule": seconds or crontab}
BEAT_SCHEDULE: Final[dict[str, dict[str, Any]]] = {
    # Finds jobs whose doorbell was lost and jobs whose worker died.
    "sweep jobs": {"task": "accounts.jobs.tasks.work", "schedule": 10.0},
}

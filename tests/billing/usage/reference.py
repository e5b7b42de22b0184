"""What becomes of reports, decided one after the other in the slow obvious way: minute by minute, event by event."""

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Reference:
    """One lease of so many minutes; times of events are minutes from its start."""

    minutes: int
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    reversed: set[str] = field(default_factory=set)
    taken: dict[int, str] = field(default_factory=dict)  # minute -> the segment in force
    conflicts: set[str] = field(default_factory=set)

    def take(self, event: dict[str, Any]) -> str:
        """Decide one event and return its status."""
        known = self.events.get(event["id"])
        if known is not None:
            if known == event:
                return "duplicate"
            self.conflicts.add(json.dumps(event, sort_keys=True))
            return "conflict"
        if not self._may(event):
            return "rejected"
        self.events[event["id"]] = event
        if event["kind"] == "segment":
            self.taken |= dict.fromkeys(range(event["start"], event["end"]), event["id"])
        if event["kind"] == "reversal":
            undone = event["reverses"]
            self.reversed.add(undone)
            self.taken = {minute: id_ for minute, id_ in self.taken.items() if id_ != undone}
        return "accepted"

    def _may(self, event: dict[str, Any]) -> bool:
        if event["kind"] == "reversal":
            target = self.events.get(event["reverses"])
            return target is not None and target["kind"] != "reversal" and event["reverses"] not in self.reversed
        inside = bool(0 <= event["start"] < event["end"] <= self.minutes)
        if event["kind"] == "reading":
            return inside
        minutes = range(event["start"], event["end"])
        return bool(inside and self.taken.keys().isdisjoint(minutes))

    def in_force(self) -> list[tuple[int, int, int]]:
        """Return the segments in force as (start, end, quantity), in order."""
        found = [self.events[id_] for id_ in sorted(set(self.taken.values()))]
        return sorted((event["start"], event["end"], event["quantity"]) for event in found)

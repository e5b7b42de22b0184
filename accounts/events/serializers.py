"""Events as the API shows them."""

from rest_framework import serializers

from accounts.events.models import Event
from accounts.foundation import ids
from accounts.web.serializers import OutputSerializer, SpelledId

# Where the outside id of a subject begins with something else than its type says.
_PREFIX_BY_SUBJECT = {name.replace(" ", "_").lower(): prefix for prefix, name in ids.PREFIXES.items()}


class EventOut(OutputSerializer):
    """Something that happened."""

    id = SpelledId("evt")
    type = serializers.CharField()
    at = serializers.DateTimeField()
    subject = serializers.SerializerMethodField()
    data = serializers.JSONField(source="payload")  # type: ignore[assignment]  # DRF takes fields off the class

    def get_subject(self, event: Event) -> str:
        """Return the subject's id in its outside spelling, as far as its type has one."""
        prefix = _PREFIX_BY_SUBJECT.get(event.subject_type)
        return str(event.subject_id) if prefix is None else ids.spell(prefix, event.subject_id)

"""Usage over HTTP: CloudEvents in, one at a time or in batches, and what was accepted out."""

from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.actors.actor import Capability
from accounts.foundation import clock
from accounts.web.filters import ChoiceFilter, InstantFilter, TextFilter, TypedIdFilter
from accounts.web.views import ExchangeAPIView, ListMixin
from billing.usage import queries
from billing.usage import services as usage
from billing.usage.models import MeteringPoint, UsageEvent
from billing.usage.rules import MAX_BATCH, MAX_BODY_BYTES, EventKind
from billing.usage.serializers import BatchOut, UsageEventOut, batch_document
from billing.usage.services import Line

BATCH = "application/cloudevents-batch+json"
LINES = "application/x-ndjson"
SINGLE = "application/cloudevents+json"

# The house's strict JSON parser (settings name it), under the media types of CloudEvents.
_json: Any = api_settings.DEFAULT_PARSER_CLASSES[0]
BatchParser = type("BatchParser", (_json,), {"media_type": BATCH})
SingleParser = type("SingleParser", (_json,), {"media_type": SINGLE})


class LinesParser(_json):  # type: ignore[misc]  # the parser is named in the settings
    """One JSON value a line (newline-delimited JSON): a line that cannot be read spoils no other."""

    media_type = LINES

    def document(self, body: bytes) -> list[Line]:
        """Return the lines, not yet read; blank ones are skipped."""
        self.check_size(body.decode("latin-1"))  # each byte a character, which is enough to count with
        parse = super().document
        return [Line(line, parse) for line in body.split(b"\n") if line.strip()]


EVENT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "maxLength": 200},
        "source": {"type": "string", "maxLength": 200},
        "type": {
            "enum": ["exchange.allocation.segment.v1", "exchange.meter.reading.v1", "exchange.correction.v1"],
        },
        "time": {"type": "string", "format": "date-time"},
        "subject": {"type": "string"},
        "datacontenttype": {"const": "application/json"},
        "data": {
            "oneOf": [
                {
                    "type": "object",
                    "required": ["lease", "start", "end", "quantity"],
                    "properties": {
                        "lease": {"type": "string"},
                        "start": {"type": "string", "format": "date-time"},
                        "end": {"type": "string", "format": "date-time"},
                        "meter": {"type": "string"},
                        "quantity": {"type": ["integer", "string"]},
                    },
                },
                {
                    "type": "object",
                    "required": ["reverses"],
                    "properties": {
                        "reverses": {
                            "type": "object",
                            "required": ["source", "id"],
                            "properties": {"source": {"type": "string"}, "id": {"type": "string"}},
                        }
                    },
                },
            ]
        },
    },
}
BATCH_SCHEMA: dict[str, Any] = {"type": "array", "minItems": 1, "maxItems": MAX_BATCH, "items": EVENT_SCHEMA}


class UsageFilters(django_filters.FilterSet):  # type: ignore[misc]
    """Which events."""

    kind = ChoiceFilter(options=EventKind)
    contract = TypedIdFilter(prefix="ctr", field_name="contract_id")
    lease = TypedIdFilter(prefix="lse", method="of_lease")
    meter = TextFilter(max_length=32)
    received_from = InstantFilter(field_name="received_at", lookup_expr="gte")
    received_before = InstantFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = UsageEvent
        fields: ClassVar[list[str]] = []

    def of_lease(self, rows: QuerySet[UsageEvent], name: str, lease_id: UUID) -> QuerySet[UsageEvent]:
        """Return the events of a lease, found among those of its contract, which have an index."""
        points = MeteringPoint.objects.filter(reference_id=lease_id)
        return rows.filter(contract_id__in=points.values("contract_id"), metering_point__reference_id=lease_id)


class UsageEvents(ListMixin[UsageEvent], ExchangeAPIView):
    """Accepted usage, and the way in for more.

    Reports need no Idempotency-Key: source and id of each event are one, and are remembered for ever.
    """

    required_capability: ClassVar = {
        "GET": (
            Capability.VIEW_BUYING,
            Capability.VIEW_SELLING,
            Capability.METER,
            Capability.VIEW_BOOKS,
            Capability.SUPPORT,
        ),
        "POST": Capability.METER,
    }
    outputs: ClassVar = {"GET": UsageEventOut, "POST": BatchOut}
    statuses: ClassVar = {"POST": 200}
    parser_classes = (_json, BatchParser, SingleParser, LinesParser)
    max_body_bytes = MAX_BODY_BYTES
    filterset_class = UsageFilters

    def rows(self) -> QuerySet[UsageEvent]:
        """Return the events that the actor may see."""
        return queries.visible_to(self.actor)

    @extend_schema(
        request={
            BATCH: BATCH_SCHEMA,
            SINGLE: EVENT_SCHEMA,
            LINES: {"type": "string", "description": "One event a line, as newline-delimited JSON."},
            "application/json": {"oneOf": [BATCH_SCHEMA, EVENT_SCHEMA]},
        },
        responses={200: BatchOut},
    )
    def post(self, request: Request) -> Response:
        """Take in a batch; each item has its own result, and a bad one spoils no other."""
        document = request.data
        items: Sequence[object] = document if isinstance(document, list) else [document] if document else []
        return Response(batch_document(usage.ingest(self.actor, items, now=clock.now())))

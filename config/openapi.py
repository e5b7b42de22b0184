"""The description of the API (OpenAPI 3.1), read off the views: nothing is written twice."""

import re
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_parameter_type
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from accounts.foundation import ids, schemas
from accounts.foundation.fields import TypedId
from accounts.idempotency.errors import HEADER
from accounts.web.serializers import OutputSerializer
from accounts.web.views import PUBLIC, ExchangeAPIView, ListMixin
from config import described_parameters
from config.api import MEDIA_TYPE

_SUCCESSES: Final = {"200": "As asked.", "201": "Made, and as it is now.", "202": "Taken; it is done afterwards."}
_VARIABLE: Final = re.compile(r"<(?P<converter>[a-z]+):(?P<name>[a-z_]+)>")


class ProblemEntry(OutputSerializer):
    """One field, parameter or header that is wrong."""

    detail = serializers.CharField(help_text="The value seen and what was expected.")
    pointer = serializers.CharField(required=False, help_text="The field of the body, as a JSON Pointer.")
    parameter = serializers.CharField(required=False, help_text="The parameter of the address.")
    header = serializers.CharField(required=False, help_text="The header.")


class Problem(OutputSerializer):
    """A refusal (RFC 9457). `code` is stable; further members carry facts of the refusal."""

    type = serializers.CharField(help_text="Always about:blank; `code` says what it is.")
    title = serializers.CharField(help_text="The status in words.")
    status = serializers.IntegerField(help_text="The status of the answer.")
    code = serializers.CharField(help_text="What was refused, for programs.")
    detail = serializers.CharField(help_text="What was refused, in a sentence for people.")
    errors = ProblemEntry(many=True, required=False, help_text="Everything that is wrong.")  # type: ignore[assignment]  # DRF takes fields off the class


_EXAMPLE: Final = {
    "type": "about:blank",
    "title": "Bad Request",
    "status": 400,
    "code": "invalid",
    "detail": "The body has fields that cannot be read.",
    "errors": [{"detail": "'2' was given; expected a whole number from 1 to 1000000.", "pointer": "#/quantity"}],
}


def with_example(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Show what a refusal looks like, once for all operations: a hook of drf-spectacular."""
    result["components"]["schemas"]["Problem"]["examples"] = [_EXAMPLE]
    return result


class ExchangeSchema(AutoSchema):
    """Describe an ExchangeAPIView by its own declarations."""

    @property
    def _declared(self) -> ExchangeAPIView:
        assert isinstance(self.view, ExchangeAPIView), f"{type(self.view).__name__} is no ExchangeAPIView"
        return self.view

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self.method == "GET" and isinstance(self.view, ListMixin)

    def get_request_serializer(self) -> Any:
        """Return the input declared for the method."""
        return self._declared.inputs.get(self.method)

    def get_response_serializers(self) -> Any:
        """Return the output declared for the method."""
        output = self._declared.outputs.get(self.method)
        return {str(self._declared.success_status(self.method)): output or OpenApiResponse(None)}

    def get_summary(self) -> str:
        """Return what the resource is, of a method that changes something what that does."""
        is_reading = self.method == "GET" or not self._is_said_by_method()
        return _first_sentence(self._subject() if is_reading else self.get_description())

    def get_description(self) -> str:  # type: ignore[override]  # drf-spectacular gives no arguments
        """Return what the method says of itself, or what the resource is where the method is every resource's."""
        if self._is_said_by_method():
            return str(super().get_description())
        paged = isinstance(self.view, ListMixin) and self.method == "GET"
        return f"{self._subject()} A page at a time." if paged else self._subject()

    def _is_said_by_method(self) -> bool:
        return self.method.lower() in vars(type(self.view))

    def _subject(self) -> str:
        return " ".join((type(self.view).__doc__ or "").split())

    def _get_parameters(self) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = super()._get_parameters()
        for parameter in parameters:
            parameter.setdefault("description", described_parameters.words(parameter))
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        # Also where a view describes its success by hand.
        bodies = super()._get_response_bodies(direction)
        for status, meaning in self._refusals().items():
            refusal = OpenApiResponse(Problem, description=meaning)
            code = self._get_response_for_code(refusal, status, [MEDIA_TYPE], direction)  # type: ignore[no-untyped-call]
            bodies[status] = code
        for status, body in bodies.items():
            body["description"] = body["description"] or _SUCCESSES[status]
        return dict(sorted(bodies.items()))

    def _names_something(self) -> bool:
        """Whether the body has the id of a thing, which may be none that the caller may know of."""
        shape = self.get_request_serializer()
        fields = (
            shape().fields.values() if isinstance(shape, type) and issubclass(shape, serializers.Serializer) else ()
        )
        return any(isinstance(getattr(field, "child", field), TypedId) for field in fields)

    def _refusals(self) -> dict[str, str]:
        refusals = {"400": "A field, parameter or header cannot be read."}
        if self._declared.requirement(self.method) != PUBLIC:
            refusals |= {"401": "Nobody is signed in and no live key was sent.", "403": "The caller may not do this."}
        else:
            refusals["429"] = "This network address asks too often; Retry-After says when to go on."
        if "{" in self.path or self._names_something():
            refusals["404"] = "There is no such thing, or none that the caller may know of."
        if self.method != "GET":
            refusals |= {
                "409": "The state of the thing does not allow it now.",
                "415": "The body is not JSON.",
                "422": "A rule of the house refuses it.",
            }
        if self._is_idempotent():
            refusals["402"] = "The funds do not suffice."
        return dict(sorted(refusals.items()))

    def get_override_parameters(self) -> list[Any]:
        """Return the idempotency key where the method asks for one."""
        if not self._is_idempotent():
            return []
        return [
            OpenApiParameter(
                HEADER,
                {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                OpenApiParameter.HEADER,
                required=True,
                description="A fresh key for each request, and the same key when it is repeated.",
            )
        ]

    def _is_idempotent(self) -> bool:
        return bool(getattr(getattr(self.view, self.method.lower(), None), "is_idempotent", False))

    def get_filter_backends(self) -> list[Any]:
        """Return the filter of a list that has one."""
        return super().get_filter_backends() if getattr(self.view, "filterset_class", None) else []

    def get_tags(self) -> list[str]:
        """Return the first part of the path after the version."""
        return [self.path.strip("/").split("/")[1]]

    def get_operation_id(self) -> str:
        """Return the method and the path in words, for example `post_orders_cancel`."""
        words = [word for word in re.split(r"[/\-.]", self.path.removeprefix("/v1/")) if word]
        return "_".join([self.method.lower(), *(word.strip("{}") for word in words)])

    def get_auth(self) -> list[dict[str, list[str]]]:
        """Return the ways to say who calls; none for what is open to everybody."""
        auths = super().get_auth()
        return [{}] if self._declared.requirement(self.method) == PUBLIC else auths

    def _resolve_path_parameters(self, variables: list[str]) -> list[Any]:
        converters = {match["name"]: match["converter"] for match in _VARIABLE.finditer(self.path_regex)}
        return [self._path_parameter(name, converters.get(name, "str")) for name in variables]

    def _path_parameter(self, name: str, converter: str) -> Any:
        schema: dict[str, Any] = {"type": "string"}
        if converter in ids.PREFIXES:
            schema = schemas.typed_id(converter)
        return build_parameter_type(name=name, location=OpenApiParameter.PATH, schema=schema)


def _first_sentence(text: str) -> str:
    """Return the first sentence of a docstring without its full stop: what a list of operations shows."""
    return re.split(r"\.(?=\s|$)", text, maxsplit=1)[0]


class StrictFieldSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The strict input fields say themselves what they take."""

    target_class = "accounts.foundation.fields.StrictField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        """Return the field's own schema."""
        return dict(self.target.schema())


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """`Authorization: Bearer cx_live_...`."""

    target_class = "config.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the scheme of the keys."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "cx_live_..."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The session of the pages."""

    target_class = "config.authentication.PageSessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the scheme of the session cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}

"""Where the description of the API is served. Apart from its making, which DRF imports early."""

from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView


class SchemaView(SpectacularAPIView):
    """`GET /v1/openapi.json`."""

    renderer_classes = [OpenApiJsonRenderer]
    authentication_classes = ()
    permission_classes = ()
    http_method_names = ("get", "head")

"""Every address the exchange answers at."""

from django.urls import include, path

from config import description, health, home, pages

urlpatterns = [
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("v1/openapi.json", description.SchemaView.as_view(), name="openapi"),
    path("v1/", include("accounts.urls_api")),
    path("v1/", include("catalog.urls_api")),
    path("v1/", include("billing.urls_api")),
    path("v1/", include("exchange.urls_api")),
    path("", home.home, name="home"),
    path("", include("accounts.urls_pages")),
    path("", include("catalog.urls_pages")),
    path("", include("billing.urls_pages")),
    path("", include("exchange.urls_pages")),
]

handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found

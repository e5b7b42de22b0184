"""Pages of the catalogue."""

from django.urls import path

from catalog.offerings import pages as offerings

urlpatterns = [
    path("catalogue", offerings.catalogue, name="catalogue"),
    path("catalogue/<ofr:offering_id>", offerings.offering, name="offering"),
]

"""Pages of the catalogue."""

from django.urls import path

from catalog.offerings import pages as offerings
from catalog.sites import pages as sites

urlpatterns = [
    path("catalogue", offerings.catalogue, name="catalogue"),
    path("catalogue/<ofr:offering_id>", offerings.offering, name="offering"),
    path("sell/offerings", offerings.my_offerings, name="my_offerings"),
    path("sell/offerings/new", offerings.offering_new, name="offering_new"),
    path("sell/offerings/<ofr:offering_id>/<slug:step>", offerings.offering_step, name="offering_step"),
    path("finance/rate-cards", offerings.rate_cards, name="rate_cards"),
    path("listings", offerings.listings, name="listings"),
    path("listings/<sit:site_id>/list", sites.site_list, name="site_list"),
]

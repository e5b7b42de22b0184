"""Addresses of the catalog API, under /v1/."""

from django.urls import path

from catalog.offerings import api as offerings
from catalog.sites import api as sites
from catalog.taxonomy import api as taxonomy

urlpatterns = [
    path("service-classes", taxonomy.ServiceClasses.as_view(), name="api_service_classes"),
    path("resource-types", taxonomy.ResourceTypes.as_view(), name="api_resource_types"),
    path("units", taxonomy.Units.as_view(), name="api_units"),
    path("hubs", sites.Hubs.as_view(), name="api_hubs"),
    path("metros", sites.Metros.as_view(), name="api_metros"),
    path("sites", sites.Sites.as_view(), name="api_sites"),
    path("sites/<sit:site_id>", sites.OneSite.as_view(), name="api_site"),
    path("sites/<sit:site_id>/latencies", sites.Latencies.as_view(), name="api_site_latencies"),
    path("sites/<sit:site_id>/submit", sites.Submission.as_view(), name="api_site_submit"),
    path("sites/<sit:site_id>/list", sites.Listing.as_view(), name="api_site_list"),
    path("sites/<sit:site_id>/suspend", sites.Suspension.as_view(), name="api_site_suspend"),
    path("sites/<sit:site_id>/retire", sites.Retirement.as_view(), name="api_site_retire"),
    path("offerings", offerings.Offerings.as_view(), name="api_offerings"),
    path("offerings/near-misses", offerings.NearMisses.as_view(), name="api_offering_near_misses"),
    path("offerings/<ofr:offering_id>", offerings.OneOffering.as_view(), name="api_offering"),
    path("offerings/<ofr:offering_id>/rate-cards", offerings.RateCards.as_view(), name="api_rate_cards"),
    path("offerings/<ofr:offering_id>/submit", offerings.Submission.as_view(), name="api_offering_submit"),
    path("offerings/<ofr:offering_id>/list", offerings.Listing.as_view(), name="api_offering_list"),
    path("offerings/<ofr:offering_id>/send-back", offerings.SendingBack.as_view(), name="api_offering_send_back"),
    path("offerings/<ofr:offering_id>/suspend", offerings.Suspension.as_view(), name="api_offering_suspend"),
    path("offerings/<ofr:offering_id>/retire", offerings.Retirement.as_view(), name="api_offering_retire"),
]

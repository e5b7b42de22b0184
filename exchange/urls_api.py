"""Addresses of the exchange under /v1/."""

from django.urls import path

from exchange.capacity import api as capacity
from exchange.markets import api as markets
from exchange.offers import api as offers
from exchange.orders import api as orders

urlpatterns = [
    path("markets", markets.Markets.as_view(), name="api_markets"),
    path("markets/<slug:code>", markets.OneMarket.as_view(), name="api_market"),
    path("markets/<slug:code>/suspend", markets.Suspension.as_view(), name="api_market_suspend"),
    path("markets/<slug:code>/resume", markets.Resumption.as_view(), name="api_market_resume"),
    path("capacity", capacity.Capacity.as_view(), name="api_capacity"),
    path("capacity/<ofr:offering_id>", capacity.CapacityOfOffering.as_view(), name="api_capacity_of_offering"),
    path("offers", offers.Offers.as_view(), name="api_offers"),
    path("offers/<off:offer_id>", offers.OneOffer.as_view(), name="api_offer"),
    path("offers/<off:offer_id>/withdraw", offers.OfferWithdrawal.as_view(), name="api_offer_withdraw"),
    path("offers/<off:offer_id>/revisions", offers.OfferRevisions.as_view(), name="api_offer_revisions"),
    path("orders", orders.Orders.as_view(), name="api_orders"),
    path("orders/<ord:order_id>", orders.OneOrder.as_view(), name="api_order"),
    path("orders/<ord:order_id>/cancel", orders.OrderCancellation.as_view(), name="api_order_cancel"),
    path("orders/<ord:order_id>/revisions", orders.OrderRevisions.as_view(), name="api_order_revisions"),
]

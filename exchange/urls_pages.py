"""Pages of the exchange."""

from django.urls import path

from exchange.auctions import pages as auctions
from exchange.leases import pages as leases
from exchange.marketdata import pages as marketdata
from exchange.marketdata import round_page
from exchange.markets import pages as markets
from exchange.offers import pages as offers
from exchange.orders import pages as orders
from exchange.previews import pages as previews
from exchange.purchases import pages as purchases
from exchange.quotes import pages as quotes
from exchange.rounds import pages as rounds

urlpatterns = [
    path("market-data", marketdata.market_data, name="market_data"),
    path("market-data/<slug:code>", marketdata.market, name="market_data_of"),
    path("market-data/<slug:code>/calendar", markets.calendar, name="market_calendar"),
    path("rounds", rounds.rounds, name="rounds"),
    path("rounds/<rnd:round_id>", round_page.round_, name="round"),
    path("rounds/<rnd:round_id>/void", auctions.void_ask, name="round_void_ask"),
    path("rounds/<rnd:round_id>/void/confirm", auctions.void_confirm, name="round_void_confirm"),
    path("rounds/<rnd:round_id>/void/decline", auctions.void_decline, name="round_void_decline"),
    path("orders", orders.orders, name="orders"),
    path("support/orders", orders.all_orders, name="all_orders"),
    path("support/rounds", auctions.troubled_rounds, name="troubled_rounds"),
    path("support/leases", leases.all_leases, name="all_leases"),
    path("orders/new", previews.order_new, name="order_new"),
    path("orders/<ord:order_id>", orders.order, name="order"),
    path("orders/<ord:order_id>/raise", orders.order_raise, name="order_raise"),
    path("orders/<ord:order_id>/cancel", orders.order_cancel, name="order_cancel"),
    path("quotes", quotes.quotes, name="quotes"),
    path("quotes/new", quotes.quote_new, name="quote_new"),
    path("quotes/<qte:quote_id>", purchases.quote, name="quote"),
    path("quotes/<qte:quote_id>/accept", purchases.quote_accept, name="quote_accept"),
    path("quotes/<qte:quote_id>/withdraw", purchases.quote_withdraw, name="quote_withdraw"),
    path("leases", leases.leases, name="leases"),
    path("leases/<lse:lease_id>", leases.lease, name="lease"),
    path("leases/<lse:lease_id>/return", leases.lease_return, name="lease_return"),
    path("leases/<lse:lease_id>/resell", leases.lease_resell, name="lease_resell"),
    path(
        "leases/<lse:lease_id>/resales/<off:offer_id>/withdraw",
        leases.lease_resale_withdraw,
        name="lease_resale_withdraw",
    ),
    path("leases/<lse:lease_id>/pause", leases.lease_pause, name="lease_pause"),
    path("leases/<lse:lease_id>/resume", leases.lease_resume, name="lease_resume"),
    path("leases/<lse:lease_id>/acknowledge", leases.lease_acknowledge, name="lease_acknowledge"),
    path("leases/<lse:lease_id>/activate", leases.lease_activate, name="lease_activate"),
    path("leases/<lse:lease_id>/heartbeat", leases.lease_heartbeat, name="lease_heartbeat"),
    path("sell/leases", leases.deliveries, name="deliveries"),
    path("sell/offers", offers.my_offers, name="my_offers"),
    path("sell/offers/new", offers.offer_new, name="offer_new"),
    path("sell/offers/<off:offer_id>", offers.my_offer, name="my_offer"),
    path("sell/offers/<off:offer_id>/lower", offers.offer_lower, name="offer_lower"),
    path("sell/offers/<off:offer_id>/instant-price", offers.offer_instant_price, name="offer_instant_price"),
    path("sell/offers/<off:offer_id>/withdraw", offers.offer_withdraw, name="offer_withdraw"),
]

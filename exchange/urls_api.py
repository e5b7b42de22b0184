"""Addresses of the exchange under /v1/."""

from django.urls import path

from exchange.auctions import api as auctions
from exchange.capacity import api as capacity
from exchange.indications import api as indications
from exchange.leases import api as leases
from exchange.marketdata import api as marketdata
from exchange.markets import api as markets
from exchange.offers import api as offers
from exchange.orders import api as orders
from exchange.previews import api as previews
from exchange.purchases import api as purchases
from exchange.quotes import api as quotes
from exchange.rounds import api as rounds
from exchange.trades import api as trades

urlpatterns = [
    path("markets", markets.Markets.as_view(), name="api_markets"),
    path("markets/<slug:code>", markets.OneMarket.as_view(), name="api_market"),
    path("markets/<slug:code>/calendars", markets.MarketCalendars.as_view(), name="api_market_calendars"),
    path("markets/<slug:code>/suspend", markets.Suspension.as_view(), name="api_market_suspend"),
    path("markets/<slug:code>/resume", markets.Resumption.as_view(), name="api_market_resume"),
    path("capacity", capacity.Capacity.as_view(), name="api_capacity"),
    path("capacity/<ofr:offering_id>", capacity.CapacityOfOffering.as_view(), name="api_capacity_of_offering"),
    path("offers", offers.Offers.as_view(), name="api_offers"),
    path("offers/<off:offer_id>", offers.OneOffer.as_view(), name="api_offer"),
    path("offers/<off:offer_id>/withdraw", offers.OfferWithdrawal.as_view(), name="api_offer_withdraw"),
    path("offers/<off:offer_id>/revisions", offers.OfferRevisions.as_view(), name="api_offer_revisions"),
    path("orders", orders.Orders.as_view(), name="api_orders"),
    path("orders/preview", previews.OrderPreview.as_view(), name="api_order_preview"),
    path("orders/<ord:order_id>", orders.OneOrder.as_view(), name="api_order"),
    path("orders/<ord:order_id>/cancel", orders.OrderCancellation.as_view(), name="api_order_cancel"),
    path("orders/<ord:order_id>/odds", indications.Odds.as_view(), name="api_order_odds"),
    path("orders/<ord:order_id>/revisions", orders.OrderRevisions.as_view(), name="api_order_revisions"),
    path("quotes", quotes.Quotes.as_view(), name="api_quotes"),
    path("quotes/<qte:quote_id>", quotes.OneQuote.as_view(), name="api_quote"),
    path("quotes/<qte:quote_id>/accept", purchases.QuoteAcceptance.as_view(), name="api_quote_accept"),
    path("quotes/<qte:quote_id>/withdraw", quotes.QuoteWithdrawal.as_view(), name="api_quote_withdraw"),
    path("rounds", rounds.Rounds.as_view(), name="api_rounds"),
    path("rounds/troubled", auctions.TroubledRounds.as_view(), name="api_troubled_rounds"),
    path("rounds/<rnd:round_id>", rounds.OneRound.as_view(), name="api_round"),
    path("rounds/<rnd:round_id>/prices", rounds.RoundPrices.as_view(), name="api_round_prices"),
    path("rounds/<rnd:round_id>/book", rounds.RoundBook.as_view(), name="api_round_book"),
    path("rounds/<rnd:round_id>/outcome", rounds.RoundOutcomeDocument.as_view(), name="api_round_outcome"),
    path("rounds/<rnd:round_id>/certificate", rounds.RoundCertificate.as_view(), name="api_round_certificate"),
    path("rounds/<rnd:round_id>/record", rounds.RoundRecord.as_view(), name="api_round_record"),
    path("rounds/<rnd:round_id>/own", rounds.RoundOwnRows.as_view(), name="api_round_own"),
    path("rounds/<rnd:round_id>/void", auctions.RoundVoid.as_view(), name="api_round_void"),
    path("rounds/<rnd:round_id>/void/confirm", auctions.RoundVoidConfirmation.as_view(), name="api_round_void_confirm"),
    path("rounds/<rnd:round_id>/void/decline", auctions.RoundVoidDeclination.as_view(), name="api_round_void_decline"),
    path("prices", rounds.Prices.as_view(), name="api_prices"),
    path("market-data/<slug:code>/depth", marketdata.Depth.as_view(), name="api_market_depth"),
    path("market-data/<slug:code>/indicative", marketdata.Indicative.as_view(), name="api_market_indicative"),
    path("market-data/<slug:code>/collars", marketdata.Collars.as_view(), name="api_market_collars"),
    path("market-data/<slug:code>/rounds", marketdata.Rounds.as_view(), name="api_market_rounds"),
    path("market-data/<slug:code>/trades", marketdata.Trades.as_view(), name="api_market_trades"),
    path("market-data/<slug:code>/prices", marketdata.Prices.as_view(), name="api_market_prices"),
    path("market-data/<slug:code>/index", marketdata.Index.as_view(), name="api_market_index"),
    path("trades", trades.Trades.as_view(), name="api_trades"),
    path("trades/<trd:trade_id>", trades.OneTrade.as_view(), name="api_trade"),
    path("leases", leases.Leases.as_view(), name="api_leases"),
    path("leases/<lse:lease_id>", leases.OneLease.as_view(), name="api_lease"),
    path("leases/<lse:lease_id>/segments", leases.LeaseSegments.as_view(), name="api_lease_segments"),
    path("leases/<lse:lease_id>/schedule", leases.LeaseSchedule.as_view(), name="api_lease_schedule"),
    path("leases/<lse:lease_id>/return", leases.LeaseReturn.as_view(), name="api_lease_return"),
    path("leases/<lse:lease_id>/pause", leases.LeasePause.as_view(), name="api_lease_pause"),
    path("leases/<lse:lease_id>/resume", leases.LeaseResume.as_view(), name="api_lease_resume"),
    path("leases/<lse:lease_id>/resales", leases.LeaseResales.as_view(), name="api_lease_resales"),
    path("leases/<lse:lease_id>/resales/<off:offer_id>", leases.OneLeaseResale.as_view(), name="api_lease_resale"),
    path(
        "leases/<lse:lease_id>/resales/<off:offer_id>/withdraw",
        leases.LeaseResaleWithdrawal.as_view(),
        name="api_lease_resale_withdraw",
    ),
    path("leases/<lse:lease_id>/acknowledge", leases.LeaseAcknowledge.as_view(), name="api_lease_acknowledge"),
    path("leases/<lse:lease_id>/provision", leases.LeaseProvision.as_view(), name="api_lease_provision"),
    path("leases/<lse:lease_id>/activate", leases.LeaseActivate.as_view(), name="api_lease_activate"),
    path("leases/<lse:lease_id>/heartbeat", leases.LeaseHeartbeat.as_view(), name="api_lease_heartbeat"),
    path("leases/<lse:lease_id>/end", leases.LeaseEnd.as_view(), name="api_lease_end"),
]

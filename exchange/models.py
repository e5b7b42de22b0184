"""The models of the exchange, from the rooms they live in."""

from exchange.capacity.models import CapacitySlot as CapacitySlot
from exchange.markets.models import Market as Market
from exchange.offers.models import Offer as Offer
from exchange.offers.models import OfferRevision as OfferRevision
from exchange.offers.models import OfferSlot as OfferSlot
from exchange.orders.models import Order as Order
from exchange.orders.models import OrderRevision as OrderRevision

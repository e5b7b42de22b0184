"""The models of the exchange, from the rooms they live in."""

from exchange.auctions.models import RoundOrder as RoundOrder
from exchange.auctions.models import SearchAnswer as SearchAnswer
from exchange.auctions.models import SearchBatch as SearchBatch
from exchange.auctions.models import SearchWave as SearchWave
from exchange.capacity.models import CapacitySlot as CapacitySlot
from exchange.indications.models import Indication as Indication
from exchange.indications.models import OrderOdds as OrderOdds
from exchange.leases.models import DeliveredSegment as DeliveredSegment
from exchange.leases.models import Lease as Lease
from exchange.markets.models import Market as Market
from exchange.offers.models import Offer as Offer
from exchange.offers.models import OfferRevision as OfferRevision
from exchange.offers.models import OfferSlot as OfferSlot
from exchange.orders.models import Order as Order
from exchange.orders.models import OrderRevision as OrderRevision
from exchange.quotes.models import Quote as Quote
from exchange.quotes.models import QuoteLine as QuoteLine
from exchange.quotes.models import QuotePart as QuotePart
from exchange.rounds.models import Round as Round
from exchange.rounds.models import RoundOutcome as RoundOutcome
from exchange.rounds.models import RoundPrice as RoundPrice
from exchange.rounds.models import RoundSnapshot as RoundSnapshot
from exchange.rounds.models import RoundVoidRequest as RoundVoidRequest
from exchange.trades.models import Trade as Trade

"""A recipe's book as rows of a database: members with money, sites, offerings, capacity, offers and orders.

Rows are written in bulk past the services, but not past the guards: every hold has its event, every wallet its
posting, every offer and order its revision, so that the audit finds nothing afterwards. The recipe's security
levels 1 to 3 become 2 to 4, which is what sites have here.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Model

from accounts.actors.actor import Actor, Capability
from accounts.organisations import services as organisations
from accounts.organisations.models import LegalEntity, Organisation
from accounts.organisations.rules import OrganisationKind, OrganisationStatus
from accounts.organisations.services import Application, LegalDetails
from accounts.projects.models import Project
from billing.ledger.chart import CHART, Code
from billing.ledger.models import Account, Hold, HoldEvent, LedgerEntry, LedgerTransaction
from billing.ledger.rules import HoldEventKind
from billing.payments.models import TopUp
from billing.payments.rules import TopUpMethod, TopUpStatus
from catalog.offerings.models import Offering
from catalog.offerings.needs import MaxLatency, Needs
from catalog.offerings.rules import Fabric, OfferingStatus
from catalog.sites.models import Hub, Metro, Site, SiteLatency
from catalog.sites.rules import SiteStatus
from catalog.taxonomy.models import ReferenceVersion, ResourceType, ServiceClass
from catalog.taxonomy.rules import Confidence, Form
from exchange.capacity.models import CapacitySlot
from exchange.clearing import book as books
from exchange.clearing.book import Book, OrderKind
from exchange.markets import services as markets
from exchange.markets.models import Market
from exchange.markets.rules import MarketSpec, MarketTerms
from exchange.offers.models import Offer, OfferRevision, OfferSlot
from exchange.offers.rules import OfferStatus
from exchange.orders import services as orders
from exchange.orders.models import Order, OrderRevision
from exchange.orders.rules import LimitSource, OrderStatus
from exchange.rounds import services as rounds

HOUR: Final = timedelta(hours=1)
CURRENCY: Final = "CNY"
# Slot 0 of the recipe; a multiple of every grid from the market's epoch on.
FIRST: Final = datetime(2026, 5, 2, 16, tzinfo=UTC)
GATE: Final = FIRST - HOUR
ENTERED: Final = GATE - 12 * HOUR
BATCH: Final = 2_000
_SYSTEM: Final = Actor.system("benchmark")


@transaction.atomic
def load(book: Book, *, slots: int) -> Market:
    """Write the book of a recipe into an empty, migrated database and return its market."""
    market = _market(book.grid, slots)
    providers = _members({offer.provider for offer in book.offers}, can_sell=True)
    buyers = _members({order.buyer for order in book.orders}, can_buy=True)
    _offers(market, book, providers)
    _orders(market, book, buyers)
    rounds.ensure_round(market, after=ENTERED, now=ENTERED)
    return market


def _market(grid: int, slots: int) -> Market:
    legal = LegalDetails("Exchange", "BENCHMARK", "CN", "1 Test Road", vat_registered=True)
    application = Application("Exchange", OrganisationKind.OPERATOR, legal, can_operate=True)
    operator = organisations.register(_SYSTEM, application, administrator=None, now=ENTERED)
    organisations.admit(_SYSTEM, operator.id, now=ENTERED)
    actor = Actor(operator.id, None, None, frozenset({Capability.OPERATE}), "operator")
    terms = MarketTerms(
        currency=CURRENCY,
        timezone="Asia/Shanghai",
        epoch=date(2026, 1, 1),
        grid_slots=grid,
        lot_units=1,
        tick_micros=1_000,
        collar_min_micros=0,
        collar_max_micros=100_000_000,
        gate_interval_seconds=24 * 3600,
        gate_offset_seconds=23 * 3600,
        no_cancel_seconds=600,
        lead_seconds=1800,
        horizon_hours=slots + 24,
    )
    return markets.create(actor, MarketSpec("cards", "Cards", "ai_acceleration", "card_hours", terms), now=ENTERED)


def _members(names: set[str], *, can_sell: bool = False, can_buy: bool = False) -> dict[str, Organisation]:
    members = {
        name: Organisation(
            name=name,
            kind=OrganisationKind.DATA_CENTRE if can_sell else OrganisationKind.LAB,
            country="CN",
            status=OrganisationStatus.ACTIVE,
            can_sell=can_sell,
            can_buy=can_buy,
            synthetic=True,
            created_at=ENTERED,
        )
        for name in sorted(names)
    }
    _write(Organisation, members.values())
    _write(
        LegalEntity,
        (
            LegalEntity(
                organisation=member,
                legal_name=name,
                tax_id=f"TAX {name}",
                jurisdiction="CN",
                address="1 Test Road",
                vat_registered=True,
                effective_from=ENTERED,
            )
            for name, member in members.items()
        ),
    )
    _write(
        Project,
        (
            Project(organisation=member, code="default", name="Default", created_at=ENTERED)
            for member in members.values()
        ),
    )
    return members


def _offerings(book: Book, providers: dict[str, Organisation]) -> dict[tuple[str, str], Offering]:
    """Write sites, resource types and one offering for each provider and cell."""
    version = ReferenceVersion.objects.create(
        name="benchmark", version="1", effective_from=ENTERED, source="benchmarks/README.md"
    )
    regions = sorted({str(cell.attributes.region) for cell in book.cells})
    hubs = {code: Hub.objects.create(code=code, name_en=code, name_zh=code) for code in regions}
    metros = {
        code: Metro.objects.create(code=code, name_en=code, name_zh=code, version=version)
        for code in sorted({metro for cell in book.cells for metro in cell.attributes.latency_ms or ()})
    }
    service_class = ServiceClass.objects.get(code="ai_acceleration")
    types: dict[str, ResourceType] = {}
    sites: dict[str, Site] = {}
    operator = Organisation.objects.get(can_operate=True)
    for cell in book.cells:
        attributes = cell.attributes
        model = str(attributes.model)
        if model not in types:
            types[model] = ResourceType.objects.create(
                code=model,
                service_class=service_class,
                form=Form.CARD,
                name=model,
                memory_gb=attributes.mem_gb,
                fp16_dense_tflops=attributes.tflops,
                confidence=Confidence.DECLARED,
                version=version,
            )
        if cell.site not in sites:
            sites[cell.site] = Site.objects.create(
                code=cell.site,
                name=cell.site,
                hub=hubs[str(attributes.region)],
                operator=operator,
                status=SiteStatus.LISTED,
                green_percent=attributes.green_pct,
                security_level=(attributes.security or 0) + 1,
                created_at=ENTERED,
            )
            _write(
                SiteLatency,
                (
                    SiteLatency(site=sites[cell.site], metro=metros[metro], latency_ms=ms, measured_at=ENTERED)
                    for metro, ms in sorted((attributes.latency_ms or {}).items())
                ),
            )
    cells = {cell.id: cell for cell in book.cells}
    listings = {
        key: Offering(
            provider=providers[key[0]],
            site=sites[cells[key[1]].site],
            resource_type=types[str(cells[key[1]].attributes.model)],
            name=key[1],
            fabric=Fabric.INFINIBAND,
            status=OfferingStatus.LISTED,
            created_at=ENTERED,
            listed_at=ENTERED,
        )
        for key in sorted({(offer.provider, offer.cell) for offer in book.offers})
    }
    _write(Offering, listings.values())
    return listings


def _offers(market: Market, book: Book, providers: dict[str, Organisation]) -> None:
    listings = _offerings(book, providers)
    offered: dict[tuple[UUID, datetime], int] = {}
    placed: list[Offer] = []
    slots: list[OfferSlot] = []
    numbers = _entry_numbers(len(book.offers))
    for offer, seq in zip(sorted(book.offers, key=lambda row: row.seq), numbers, strict=True):
        offering = listings[offer.provider, offer.cell]
        placed.append(
            Offer(
                market=market,
                offering=offering,
                provider=offering.provider,
                quantity=offer.qty,
                starts_at=FIRST + offer.t0 * HOUR,
                ends_at=FIRST + offer.t1 * HOUR,
                reserve_micros=offer.reserve,
                seq=seq,
                status=OfferStatus.OPEN,
                total_unit_hours=offer.qty * (offer.t1 - offer.t0),
                created_at=ENTERED,
                revised_at=ENTERED,
            )
        )
        for slot in range(offer.t0, offer.t1):
            hour = FIRST + slot * HOUR
            offered[offering.id, hour] = offered.get((offering.id, hour), 0) + offer.qty
            slots.append(OfferSlot(offer=placed[-1], starts_at=hour, quantity=offer.qty))
    _write(
        CapacitySlot,
        (
            CapacitySlot(offering_id=offering_id, starts_at=hour, listed=units, offered=units)
            for (offering_id, hour), units in offered.items()
        ),
    )
    _write(Offer, placed)
    _write(OfferSlot, slots)
    _write(
        OfferRevision,
        (
            OfferRevision(offer=row, **OfferRevision.fields_of(row), actor_label="benchmark", accepted_at=ENTERED)
            for row in placed
        ),
    )


def _orders(market: Market, book: Book, buyers: dict[str, Organisation]) -> None:
    rates = orders.current_rates(ENTERED)
    projects = dict(Project.objects.filter(organisation__in=buyers.values()).values_list("organisation_id", "id"))
    placed: list[Order] = []
    for order in sorted(book.orders, key=lambda row: row.seq):
        block = order.kind is OrderKind.BLOCK
        hours = order.hours if block else order.latest - order.earliest
        placed.append(
            Order(
                market=market,
                buyer=buyers[order.buyer],
                project_id=projects[buyers[order.buyer].id],
                kind=order.kind.value,
                quantity_min=order.qmin if block else None,
                quantity_max=order.qmax,
                hours=order.hours if block else None,
                earliest_at=FIRST + order.earliest * HOUR,
                latest_at=FIRST + order.latest * HOUR,
                single_site=order.single_site,
                needs=needs_of(order.needs).to_document(),
                limit_micros=order.limit,
                limit_source=LimitSource.SYNTHETIC,
                currency=CURRENCY,
                terms_version=market.rules_version,
                fee_version=rates.fee_version,
                buyer_fee_ppm=rates.buyer_fee_ppm,
                tax_rate_ppm=rates.tax_rate_ppm,
                status=OrderStatus.OPEN,
                total_unit_hours=order.qmax * hours,
                created_at=ENTERED,
                revised_at=ENTERED,
            )
        )
    for row, seq in zip(placed, _entry_numbers(len(placed)), strict=True):
        row.seq = seq
    _hold(placed)
    _write(Order, placed)
    _write(
        OrderRevision,
        (
            OrderRevision(order=row, **OrderRevision.fields_of(row), actor_label="benchmark", accepted_at=ENTERED)
            for row in placed
        ),
    )


def _hold(placed: list[Order]) -> None:
    """Bring each buyer twice the money that its orders need, and hold their worst cases."""
    needed = {row.id: max(1, orders.rest_of_hold_minor(row, row.total_unit_hours)) for row in placed}
    by_buyer: dict[UUID, int] = {}
    for row in placed:
        by_buyer[row.buyer_id] = by_buyer.get(row.buyer_id, 0) + 2 * needed[row.id]
    _pay_in(by_buyer)
    wallets = dict(Account.objects.filter(code=Code.WALLET).values_list("organisation_id", "id"))
    for row in placed:
        row.hold = Hold(
            account_id=wallets[row.buyer_id],
            organisation_id=row.buyer_id,
            project_id=row.project_id,
            currency=CURRENCY,
            source_type="order",
            source_id=row.id,
            purpose=orders.HOLD_PURPOSE,
            created_at=ENTERED,
        )
    _write(Hold, (row.hold for row in placed))
    _write(
        HoldEvent,
        (
            HoldEvent(hold=row.hold, kind=HoldEventKind.PLACED, amount_minor=needed[row.id], at=ENTERED)
            for row in placed
        ),
    )


def _pay_in(by_buyer: dict[UUID, int]) -> None:
    """Confirm a top-up of each buyer."""
    bank = Account(code=Code.BANK, currency=CURRENCY, kind=CHART[Code.BANK].kind, opened_at=ENTERED)
    wallets = {
        buyer_id: Account(
            code=Code.WALLET,
            organisation_id=buyer_id,
            currency=CURRENCY,
            kind=CHART[Code.WALLET].kind,
            opened_at=ENTERED,
        )
        for buyer_id in by_buyer
    }
    _write(Account, [bank, *wallets.values()])
    top_ups = [
        TopUp(
            organisation_id=buyer_id,
            amount_minor=amount,
            currency=CURRENCY,
            method=TopUpMethod.BANK_TRANSFER,
            reference=f"BENCHMARK-{number}",
            status=TopUpStatus.CONFIRMED,
            created_at=ENTERED,
            confirmed_at=ENTERED,
        )
        for number, (buyer_id, amount) in enumerate(by_buyer.items())
    ]
    _write(TopUp, top_ups)
    posted = [
        LedgerTransaction(
            effective_at=ENTERED, posted_at=ENTERED, source_type="top_up", source_id=top_up.id, purpose="confirm"
        )
        for top_up in top_ups
    ]
    _write(LedgerTransaction, posted)
    _write(
        LedgerEntry,
        (
            LedgerEntry(transaction=transaction, account=account, currency=CURRENCY, amount_minor=amount)
            for transaction, top_up in zip(posted, top_ups, strict=True)
            for account, amount in (
                (bank, top_up.amount_minor),
                (wallets[top_up.organisation_id], -top_up.amount_minor),
            )
        ),
    )


def needs_of(needs: books.Needs) -> Needs:
    """Return the needs of a recipe as orders have them."""
    return Needs(
        models=needs.model or (),
        min_memory_gb=needs.min_mem_gb,
        min_tflops=needs.min_tflops,
        max_latency=MaxLatency(needs.max_latency.metro, needs.max_latency.ms) if needs.max_latency else None,
        min_green_percent=needs.min_green_pct,
        min_security=None if needs.min_security is None else needs.min_security + 1,
    )


def _entry_numbers(count: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('exchange_entry_seq') FROM generate_series(1, %s)", [count])
        return sorted(number for (number,) in cursor.fetchall())


def _write(model: type[Model], rows: Iterable[Model]) -> None:
    model._default_manager.bulk_create(rows, batch_size=BATCH)

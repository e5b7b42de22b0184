"""What a person types: what a job needs (to search the catalogue and to place an order), and a new offering."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.actors.actor import Actor
from accounts.web.forms import NamedChoiceField, PlainDecimal, StrictForm, StrictText, WholeNumber
from catalog.measures.price import parse_price_micros
from catalog.offerings import needs as limits
from catalog.offerings.needs import MaxLatency, Needs
from catalog.offerings.rules import Fabric
from catalog.offerings.services import OfferingSpec, Rate
from catalog.offerings.wording import FABRIC_NAMES
from catalog.sites import queries as sites
from catalog.sites.models import Hub, Metro
from catalog.sites.rules import SiteStatus
from catalog.taxonomy.models import ResourceType

Choices = Iterable[tuple[str, str]]


class NeedsForm(StrictForm):
    """Needs as fields; an empty field constrains nothing."""

    fields_by_pointer = {
        "/needs/model": "models",
        "/needs/region": "regions",
        "/needs/min_mem_gb": "min_memory_gb",
        "/needs/min_tflops": "min_tflops",
        "/needs/min_green_pct": "min_green_percent",
        "/needs/min_security": "min_security",
        "/needs/interconnect": "interconnects",
        "/needs/max_latency/ms": "latency_ms",
        "/needs/max_latency": "metro",
    }

    models = forms.MultipleChoiceField(
        label=_("Models (none ticked: any)"), required=False, widget=forms.CheckboxSelectMultiple
    )
    regions = forms.MultipleChoiceField(
        label=_("Hubs (none ticked: any)"), required=False, widget=forms.CheckboxSelectMultiple
    )
    interconnects = forms.MultipleChoiceField(
        label=_("Fabrics (none ticked: any)"),
        required=False,
        choices=[(fabric.value, FABRIC_NAMES[fabric]) for fabric in Fabric],
        widget=forms.CheckboxSelectMultiple,
    )
    min_memory_gb = WholeNumber(
        label=_("Memory, at least (GB)"), required=False, minimum=1, maximum=limits.MAX_MEMORY_GB
    )
    min_tflops = WholeNumber(label=_("FP16 TFLOPS, at least"), required=False, minimum=1, maximum=limits.MAX_TFLOPS)
    metro = forms.ChoiceField(label=_("Near to"), required=False)
    latency_ms = WholeNumber(
        label=_("Round trip, at most (ms)"), required=False, minimum=1, maximum=limits.MAX_LATENCY_MS
    )
    min_green_percent = WholeNumber(label=_("Green power, at least (%)"), required=False, minimum=0, maximum=100)
    min_security = forms.TypedChoiceField(
        label=_("Protection level, at least"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", _("Any")),
            *((level, str(level)) for level in range(limits.MIN_SECURITY, limits.MAX_SECURITY + 1)),
        ],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose(
            "models",
            ResourceType.objects.filter(offerings__isnull=False)
            .distinct()
            .order_by("name")
            .values_list("code", "name"),
        )
        self._choose("regions", Hub.objects.values_list("code", "name_en"))
        self._choose("metro", [("", str(_("Anywhere"))), *Metro.objects.values_list("code", "name_en")])

    def _choose(self, name: str, choices: Choices) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = list(choices)

    def clean(self) -> dict[str, Any]:
        """A distance needs a place and a place a distance."""
        cleaned = super().clean() or {}
        if bool(cleaned.get("metro")) != bool(cleaned.get("latency_ms")) and "latency_ms" not in self.errors:
            missing = "latency_ms" if cleaned.get("metro") else "metro"
            self.add_error(missing, _("A place and its round trip are given together."))
        return cleaned

    def needs(self) -> Needs:
        """The needs that the valid form says."""
        said = self.cleaned_data
        return Needs(
            models=tuple(sorted(said["models"])),
            min_memory_gb=said["min_memory_gb"],
            min_tflops=said["min_tflops"],
            regions=tuple(sorted(said["regions"])),
            max_latency=MaxLatency(said["metro"], said["latency_ms"]) if said["metro"] else None,
            min_green_percent=said["min_green_percent"],
            min_security=said["min_security"],
            interconnects=tuple(sorted(said["interconnects"])),
        )


# What most providers charge beside the auctioned hours: meter, label, base quantity.
_COMMON_METERS = (
    ("egress_gb", _("Traffic out, a GB"), 1),
    ("storage_gb_months", _("Storage, a GB-month"), 1),
    ("energy_kwh", _("Energy, a kWh"), 1),
    ("tokens_in", _("Input tokens, a million"), 1_000_000),
    ("tokens_out", _("Output tokens, a million"), 1_000_000),
)


class PriceField(PlainDecimal):
    """A price per unit as a person types it, such as 12.50; its value is integer micros."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=15, decimal_places=6, minimum=Decimal(0), **options)

    def clean(self, value: Any) -> int | None:
        price = super().clean(value)
        return None if price is None else parse_price_micros(f"{price:f}")


class OfferingForm(StrictForm):
    """A new offering with its first rate card; `spec()` and `rates()` are what the services take."""

    fields_by_pointer: ClassVar = {"/site": "site", "/resource_type": "resource_type"}

    name = StrictText(label=_("Name"), max_length=120)
    site = NamedChoiceField(label=_("Site"))
    resource_type = NamedChoiceField(label=_("Resource type"), to_field_name="code")
    fabric = forms.ChoiceField(label=_("Fabric"), choices=[(fabric.value, FABRIC_NAMES[fabric]) for fabric in Fabric])
    sla_credit_percent = PlainDecimal(
        label=_("Service credit, %"),
        help_text=_("Of the value of what is not delivered"),
        max_digits=6,
        decimal_places=3,
        minimum=Decimal(0),
        maximum=Decimal(100),
    )
    currency = forms.ChoiceField(label=_("Rate card in"), choices=[(code, code) for code in ("CNY", "USD")])

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_rows("site", sites.visible_to(actor).filter(status=SiteStatus.LISTED).order_by("name"))
        self.offer_rows("resource_type", ResourceType.objects.order_by("name"))
        for meter, label, _base in _COMMON_METERS:
            self.fields[meter] = PriceField(label=label, required=False, help_text=_("Empty: not charged"))

    def spec(self) -> OfferingSpec:
        """The offering that the valid form says."""
        said = self.cleaned_data
        return OfferingSpec(
            site_id=said["site"].id,
            resource_type=said["resource_type"].code,
            name=said["name"],
            fabric=Fabric(said["fabric"]),
            sla_credit_ppm=int(said["sla_credit_percent"] * 10_000),
        )

    def rates(self) -> list[Rate]:
        """The prices that the valid form says."""
        return [
            Rate(meter, self.cleaned_data[meter], base)
            for meter, _label, base in _COMMON_METERS
            if self.cleaned_data[meter] is not None
        ]

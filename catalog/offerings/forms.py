"""What a person types to say what a job needs; the same fields search the catalogue and place an order."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.web.forms import StrictForm, WholeNumber
from catalog.offerings import needs as limits
from catalog.offerings.needs import MaxLatency, Needs
from catalog.offerings.rules import Fabric
from catalog.sites.models import Hub, Metro
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
        label=_("Models accepted"), required=False, help_text=_("None chosen: any model")
    )
    min_memory_gb = WholeNumber(
        label=_("Memory, at least (GB)"), required=False, minimum=1, maximum=limits.MAX_MEMORY_GB
    )
    min_tflops = WholeNumber(
        label=_("Dense FP16 TFLOPS, at least"), required=False, minimum=1, maximum=limits.MAX_TFLOPS
    )
    regions = forms.MultipleChoiceField(label=_("Hubs"), required=False, help_text=_("None chosen: any hub"))
    metro = forms.ChoiceField(label=_("Near to"), required=False)
    latency_ms = WholeNumber(
        label=_("Round trip to it, at most (ms)"), required=False, minimum=1, maximum=limits.MAX_LATENCY_MS
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
    interconnects = forms.MultipleChoiceField(
        label=_("Fabrics accepted"), required=False, choices=[(fabric.value, fabric.value) for fabric in Fabric]
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose(
            "models", ResourceType.objects.filter(offerings__isnull=False).distinct().values_list("code", "name")
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

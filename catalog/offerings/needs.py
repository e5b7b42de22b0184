"""What a buyer needs of the hardware, said without naming a machine, and whether a cell meets it.

A cell is what is traded as one product: a resource type at a site with its fabric. Needs and cell
attributes are spelled in documents as in the clearing books, so one reading serves the catalogue's search,
orders and frozen rounds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from accounts.foundation.errors import FieldProblem, Invalid, mismatch

MAX_CHOICES: Final = 64
MAX_CHOICE_LENGTH: Final = 64
MAX_MEMORY_GB: Final = 1_000_000
MAX_TFLOPS: Final = 10_000_000
MAX_LATENCY_MS: Final = 10_000
MIN_SECURITY: Final = 2
MAX_SECURITY: Final = 4

LIST_KEYS: Final = ("model", "region", "interconnect")
# Lower bounds: document key -> smallest and largest value that makes sense.
BOUND_KEYS: Final = {
    "min_mem_gb": (1, MAX_MEMORY_GB),
    "min_tflops": (1, MAX_TFLOPS),
    "min_green_pct": (0, 100),
    "min_security": (MIN_SECURITY, MAX_SECURITY),
}
KEYS: Final = (
    "model",
    "min_mem_gb",
    "min_tflops",
    "region",
    "max_latency",
    "min_green_pct",
    "min_security",
    "interconnect",
)


@dataclass(frozen=True, slots=True)
class CellAttributes:
    """What a cell is, as needs are checked against it.

    Performance is whole dense FP16 TFLOPS as contracted, rounded down; latency whole milliseconds to each
    metro, rounded up; the green share whole per cent. None or an absent metro means not stated, and an
    attribute that is not stated meets no need.
    """

    model: str
    region: str
    memory_gb: int | None = None
    tflops: int | None = None
    green_percent: int | None = None
    security: int | None = None
    interconnect: str | None = None
    latency_ms: Mapping[str, int] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """Spell the attributes as in a clearing book; what is not stated is left out."""
        document = {
            "model": self.model,
            "mem_gb": self.memory_gb,
            "tflops": self.tflops,
            "region": self.region,
            "green_pct": self.green_percent,
            "security": self.security,
            "interconnect": self.interconnect,
            "latency_ms": dict(sorted(self.latency_ms.items())),
        }
        return {key: value for key, value in document.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Unmet:
    """One need that a cell does not meet: its document key, and a sentence with the value seen."""

    need: str
    detail: str


@dataclass(frozen=True, slots=True)
class MaxLatency:
    """The most milliseconds of round trip that a buyer accepts to a metro."""

    metro: str
    ms: int


@dataclass(frozen=True, slots=True)
class Needs:
    """The constraints of an order or a search; an empty list or None constrains nothing."""

    models: tuple[str, ...] = ()
    min_memory_gb: int | None = None
    min_tflops: int | None = None
    regions: tuple[str, ...] = ()
    max_latency: MaxLatency | None = None
    min_green_percent: int | None = None
    min_security: int | None = None
    interconnects: tuple[str, ...] = ()

    def unmet_by(self, cell: CellAttributes) -> tuple[Unmet, ...]:
        """Return every need that the cell does not meet, with why; empty when it qualifies."""
        return (
            *_outside("model", "model", cell.model, self.models),
            *_below("min_mem_gb", "memory", "GB", cell.memory_gb, self.min_memory_gb),
            *_below("min_tflops", "performance", "TFLOPS", cell.tflops, self.min_tflops),
            *_outside("region", "region", cell.region, self.regions),
            *_too_far(cell.latency_ms, self.max_latency),
            *_below(
                "min_green_pct",
                "green share",
                "%",
                cell.green_percent,
                self.min_green_percent,
            ),
            *_below("min_security", "security level", "", cell.security, self.min_security),
            *_outside("interconnect", "interconnect", cell.interconnect, self.interconnects),
        )

    def to_document(self) -> dict[str, Any]:
        """Spell the needs as in a clearing book; a need that constrains nothing is left out."""
        document: dict[str, Any] = {
            "model": list(self.models) or None,
            "min_mem_gb": self.min_memory_gb,
            "min_tflops": self.min_tflops,
            "region": list(self.regions) or None,
            "max_latency": self.max_latency and {"metro": self.max_latency.metro, "ms": self.max_latency.ms},
            "min_green_pct": self.min_green_percent,
            "min_security": self.min_security,
            "interconnect": list(self.interconnects) or None,
        }
        return {key: value for key, value in document.items() if value is not None}

    @classmethod
    def from_document(cls, document: object, *, pointer: str = "/needs") -> Self:
        """Read needs spelled as in a clearing book.

        Raises Invalid with one problem per wrong key or value; `pointer` is where the document stood.
        """
        problems = tuple(_problems(document, pointer))
        if problems:
            raise Invalid("The needs are not well formed.", problems)
        assert isinstance(document, Mapping)
        latency = document.get("max_latency")
        return cls(
            models=_choices(document.get("model")),
            min_memory_gb=document.get("min_mem_gb"),
            min_tflops=document.get("min_tflops"),
            regions=_choices(document.get("region")),
            max_latency=MaxLatency(latency["metro"], latency["ms"]) if latency else None,
            min_green_percent=document.get("min_green_pct"),
            min_security=document.get("min_security"),
            interconnects=_choices(document.get("interconnect")),
        )


def _below(need: str, noun: str, measure: str, value: int | None, minimum: int | None) -> Iterator[Unmet]:
    if minimum is None:
        return
    if value is None:
        yield Unmet(
            need,
            f"the {noun} is not stated, at least {minimum} {measure}".rstrip() + " is needed",
        )
    elif value < minimum:
        yield Unmet(
            need,
            f"the {noun} is {value} {measure}".rstrip() + f", at least {minimum} is needed",
        )


def _outside(need: str, noun: str, value: str | None, allowed: Sequence[str]) -> Iterator[Unmet]:
    if allowed and value not in allowed:
        yield Unmet(
            need,
            f"the {noun} is {value or 'not stated'}, needed is {' or '.join(allowed)}",
        )


def _too_far(latency_ms: Mapping[str, int], bound: MaxLatency | None) -> Iterator[Unmet]:
    if bound is None:
        return
    measured = latency_ms.get(bound.metro)
    if measured is None:
        yield Unmet(
            "max_latency",
            f"the latency to {bound.metro} is not stated, at most {bound.ms} ms is needed",
        )
    elif measured > bound.ms:
        yield Unmet(
            "max_latency",
            f"the latency to {bound.metro} is {measured} ms, at most {bound.ms} ms is needed",
        )


def _choices(values: Sequence[str] | None) -> tuple[str, ...]:
    # Sorted and without repeats: two orders with the same needs have the same document and digest.
    return tuple(sorted(set(values or ())))


def _problems(document: object, pointer: str) -> Iterator[FieldProblem]:
    if not isinstance(document, Mapping):
        yield FieldProblem(pointer, mismatch(document, f"an object with some of {', '.join(KEYS)}"))
        return
    for key, value in document.items():
        if key not in KEYS:
            yield FieldProblem(f"{pointer}/{_escaped(key)}", mismatch(key, f"one of {', '.join(KEYS)}"))
        elif key in LIST_KEYS:
            yield from _choice_problems(value, f"{pointer}/{key}")
        elif key == "max_latency":
            yield from _latency_problems(value, f"{pointer}/{key}")
        else:
            yield from _integer_problems(value, *BOUND_KEYS[key], pointer=f"{pointer}/{key}")


def _choice_problems(value: object, pointer: str) -> Iterator[FieldProblem]:
    if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_CHOICES:
        yield FieldProblem(pointer, mismatch(value, f"a list of 1 to {MAX_CHOICES} codes"))
        return
    for index, choice in enumerate(value):
        if not _is_code(choice):
            yield FieldProblem(
                f"{pointer}/{index}",
                mismatch(choice, f"a code of 1 to {MAX_CHOICE_LENGTH} characters"),
            )


def _latency_problems(value: object, pointer: str) -> Iterator[FieldProblem]:
    if not isinstance(value, Mapping) or set(value) != {"metro", "ms"}:
        yield FieldProblem(pointer, mismatch(value, "an object with metro and ms"))
        return
    if not _is_code(value["metro"]):
        yield FieldProblem(f"{pointer}/metro", mismatch(value["metro"], "the code of a metro"))
    yield from _integer_problems(value["ms"], 1, MAX_LATENCY_MS, pointer=f"{pointer}/ms")


def _integer_problems(value: object, minimum: int, maximum: int, *, pointer: str) -> Iterator[FieldProblem]:
    # bool is an int to Python and must not pass for one here.
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        yield FieldProblem(pointer, mismatch(value, f"a whole number from {minimum} to {maximum}"))


def _is_code(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= MAX_CHOICE_LENGTH >= len(value)


def _escaped(key: object) -> str:
    """Escape one step of a JSON Pointer (RFC 6901) and bound its length."""
    return str(key)[:MAX_CHOICE_LENGTH].replace("~", "~0").replace("/", "~1")

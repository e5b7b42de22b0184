"""Where imported machines stand: countries as regions, states and provinces as sites."""

import json
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

_FILE: Final = Path(__file__).parent / "data" / "countries.json"
_PATTERN: Final = re.compile(r"(?P<place>[^,]{0,80}), (?P<country>[A-Z]{2})")
_ARTICLE: Final = "the-"
UNKNOWN_COUNTRY: Final = "ZZ"  # ISO 3166-1 leaves it to its users; CLDR's code for an unknown place


@dataclass(frozen=True, slots=True)
class Country:
    """A country by its ISO 3166-1 code; its region code in the catalogue is the same in lower case."""

    code: str
    name_en: str
    name_zh: str

    @property
    def region(self) -> str:
        """The code of the country as a region of the catalogue."""
        return self.code.lower()


@dataclass(frozen=True, slots=True)
class Place:
    """A site to be: its code and name, and the country as its region."""

    country: Country
    site_code: str
    site_name: str


@cache
def countries() -> MappingProxyType[str, Country]:
    """The countries whose names we know, by code."""
    rows = json.loads(_FILE.read_text(encoding="utf-8"))
    return MappingProxyType({row["code"]: Country(**row) for row in rows})


def parse(text: str) -> Place | None:
    """Read "Texas, US", "Italy, IT", ", US" or nothing at all; None when it is something else.

    A place that only names its country again is the country. A country whose name we do not know is named
    by its code, an empty text is the unknown country.
    """
    if not text:
        unknown = Country(UNKNOWN_COUNTRY, "Unknown", "未知")
        return Place(unknown, unknown.region, unknown.name_en)
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    country = countries().get(match["country"], Country(match["country"], match["country"], match["country"]))
    place = _slug(match["place"])
    if not place or place.removeprefix(_ARTICLE) == _slug(country.name_en):
        return Place(country, country.region, country.name_en)
    return Place(country, f"{country.region}-{place}"[:32].rstrip("-"), f"{match['place']}, {country.name_en}")


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")

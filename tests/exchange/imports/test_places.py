"""Where imported machines stand."""

import pytest

from exchange.imports import places


@pytest.mark.parametrize(
    ("text", "site", "region", "name"),
    [
        ("Texas, US", "us-texas", "us", "Texas, United States"),
        (", US", "us", "us", "United States"),
        ("Italy, IT", "it", "it", "Italy"),
        ("The Netherlands, NL", "nl", "nl", "Netherlands"),
        ("Türkiye, TR", "tr", "tr", "Türkiye"),
        ("Georgia, US", "us-georgia", "us", "Georgia, United States"),
        ("Atlantis, QQ", "qq-atlantis", "qq", "Atlantis, QQ"),
        ("", "zz", "zz", "Unknown"),
        ("A place with a very long name indeed, US", "us-a-place-with-a-very-long-name", "us", None),
    ],
)
def test_a_place_is_a_site_in_its_country(text: str, site: str, region: str, name: str | None) -> None:
    place = places.parse(text)
    assert place is not None
    assert (place.site_code, place.country.region) == (site, region)
    assert name in (None, place.site_name)
    assert len(place.site_code) <= 32


@pytest.mark.parametrize("text", ["Texas", "Texas, USA", "Texas,US", "a, b, US", "us", "Texas, us"])
def test_what_is_no_place_is_not_guessed(text: str) -> None:
    assert places.parse(text) is None

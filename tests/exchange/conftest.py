"""The stage of the exchange's tests: the clock stands at noon, and the cast of the story is there.

pytest reads this file before Django is configured, so it imports the cast where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.exchange.cast import Story


@pytest.fixture
def noon(db: None) -> Iterator[None]:
    """Let the test live at noon in Shanghai, two days before D."""
    from accounts.foundation import clock
    from tests.exchange.cast import NOW

    with clock.travel(NOW):
        yield


@pytest.fixture
def story(noon: None) -> Story:
    """The market, two providers with listed cards, three funded buyers."""
    from tests.exchange import cast

    return cast.make_story()

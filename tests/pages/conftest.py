"""The stage of the page tests: the clock stands at noon, and the cast of the story is there.

pytest reads this file before Django is configured, so it imports the cast where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.exchange.cast import Story


@pytest.fixture
def story(db: None) -> Iterator[Story]:
    """The market, two providers with listed cards, three funded buyers, at noon two days before delivery."""
    from accounts.foundation import clock
    from tests.exchange import cast

    with clock.travel(cast.NOW):
        yield cast.make_story()

"""The stage of delivery.

pytest reads this file before Django is configured, so it imports what it needs where it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.exchange.cast import Story
    from tests.exchange.leases.delivery import Delivery


@pytest.fixture
def delivery(story: Story) -> Delivery:
    """Two scheduled leases."""
    from tests.exchange.leases.delivery import cleared

    return cleared(story)

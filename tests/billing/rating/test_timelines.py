"""Finding by bisection what a walk through all items finds."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from billing.rating.timelines import Timelines
from catalog.measures.interval import Interval
from tests.billing.rating import worlds

edges = st.lists(st.integers(0, 60), unique=True, max_size=12).map(sorted)
asked = st.tuples(st.integers(-5, 65), st.integers(1, 30))
OFFERINGS = (UUID(int=1), UUID(int=2))


@given(st.tuples(edges, edges), asked, st.data())
def test_what_shares_an_instant_is_found(
    rows: tuple[list[int], list[int]], asked: tuple[int, int], data: st.DataObject
) -> None:
    items = [
        (offering_id, Interval(worlds.second(start), worlds.second(end)), (start, end))
        for offering_id, row in zip(OFFERINGS, rows, strict=True)
        for start, end in zip(row[::2], row[1::2], strict=False)
    ]
    interval = Interval(worlds.second(asked[0]), worlds.second(asked[0] + asked[1]))
    found = Timelines(data.draw(st.permutations(items)))
    for offering_id in OFFERINGS:
        slow = sorted(item for offering, where, item in items if offering == offering_id and where.overlaps(interval))
        assert list(found.during(offering_id, interval)) == slow
    assert list(found.during(UUID(int=3), interval)) == []

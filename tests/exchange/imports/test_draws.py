"""Seeded draws: the same everywhere and for ever, and distributed as they say."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from exchange.imports.draws import Draws


def test_draws_stay_what_they_were() -> None:
    draws = Draws(1, "pod-1")
    assert draws.whole("cards", 1, 1000) == 671
    assert draws.chance("is large", 50) is True
    assert draws.normal("limit") == Decimal("-1.283131736330687999725341797")


@given(st.integers(0, 2**63), st.text(max_size=10), st.integers(-5, 5), st.integers(0, 100))
def test_whole_numbers_stay_within_their_bounds(seed: int, purpose: str, minimum: int, width: int) -> None:
    assert minimum <= Draws(seed, "x").whole(purpose, minimum, minimum + width) <= minimum + width


def test_a_draw_depends_on_seed_subject_and_purpose_alone() -> None:
    one = Draws(1, "pod-1").uniform("limit")
    assert one == Draws(1, "pod-1").uniform("limit")
    assert (
        len(
            {
                one,
                Draws(2, "pod-1").uniform("limit"),
                Draws(1, "pod-2").uniform("limit"),
                Draws(1, "pod-1").uniform("x"),
            }
        )
        == 4
    )


def test_many_draws_have_the_mean_and_spread_that_they_say() -> None:
    normals = [Draws(7, str(number)).normal("x") for number in range(4000)]
    mean = sum(normals, Decimal(0)) / len(normals)
    variance = sum(((value - mean) ** 2 for value in normals), Decimal(0)) / len(normals)
    assert abs(mean) < Decimal("0.05")
    assert abs(variance - 1) < Decimal("0.08")
    below = sum(Draws(7, str(number)).chance("y", 33) for number in range(4000))
    assert 1200 < below < 1440


def test_choices_follow_their_weights_and_a_weight_of_nothing_is_never_chosen() -> None:
    drawn = [Draws(3, str(number)).choice("z", (("a", 3), ("never", 0), ("b", 1))) for number in range(2000)]
    assert set(drawn) == {"a", "b"}
    assert 1400 < drawn.count("a") < 1600


def test_a_lognormal_number_without_deviation_is_its_exponential() -> None:
    assert Draws(1, "x").lognormal("limit", Decimal(0), Decimal(0)) == 1
    assert str(Draws(1, "x").lognormal("limit", Decimal(1), Decimal(0)))[:7] == "2.71828"

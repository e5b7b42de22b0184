"""Independent steps in a row: one that fails keeps no other waiting, and is not swallowed."""

import pytest

from accounts.foundation.failures import TOO_MANY, Failures


def run(*steps: str) -> tuple[list[str], Failures]:
    done, failures = [], Failures()
    for step in steps:
        with failures.kept(f"step {step}"):
            if step.startswith("bad"):
                raise ValueError(step)
            done.append(step)
    return done, failures


def test_steps_after_a_failed_one_are_done() -> None:
    done, failures = run("one", "bad", "two")
    assert done == ["one", "two"]
    with pytest.raises(ValueError, match="bad") as raised:
        failures.raise_any()
    assert raised.value.__notes__ == ["step bad"]


def test_several_failures_are_raised_together() -> None:
    _, failures = run("bad 1", "bad 2")
    with pytest.raises(ExceptionGroup) as raised:
        failures.raise_any()
    assert [str(error) for error in raised.value.exceptions] == ["bad 1", "bad 2"]


def test_what_keeps_failing_is_given_up() -> None:
    failures = Failures()
    for number in range(TOO_MANY - 1):
        with failures.kept(str(number)):
            raise ConnectionError
    with pytest.raises(ExceptionGroup), failures.kept("the last"):
        raise ConnectionError


def test_without_a_failure_nothing_is_raised() -> None:
    run("one", "two")[1].raise_any()

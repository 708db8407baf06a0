"""Settings are checked by their annotations, and every message is one line."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pytest

from nasnet_keras.settings import (
    Count,
    Decay,
    Positive,
    Probability,
    Seed,
    Settings,
    base_type,
    documentation,
    hints,
)


@dataclass(frozen=True)
class Inner(Settings):
    """What is inside.

    Attributes:
        rate: How fast.
    """

    rate: Positive = 0.5


@dataclass(frozen=True)
class Outer(Settings):
    """What is outside.

    Attributes:
        count: How many
            of them.
        kind: Which kind.

    Raises:
        ValueError: count: never.
    """

    count: Count
    kind: Literal["one", "other"] = "one"
    sizes: tuple[Count, ...] = (1, 2)
    pair: tuple[Probability, Probability] | None = None
    decay: Decay = 0.9
    flag: bool = False
    seed: Seed = 0
    inner: Inner = Inner()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"count": 0}, "count is a whole number of at least 1, got 0"),
        ({"count": True}, "count is a whole number of at least 1, got True"),
        ({"count": 2.0}, "count is a whole number of at least 1, got 2.0"),
        ({"count": 10**5000}, "count is a whole number of at least 1, got "),
        ({"kind": "othre"}, "unknown kind 'othre'; did you mean 'other'?"),
        ({"kind": 3}, "kind is one of 'one', 'other', got 3"),
        ({"sizes": (1, 0)}, r"sizes is whole numbers of at least 1, got (1, 0)"),
        ({"sizes": 3}, "sizes is whole numbers of at least 1, got 3"),
        ({"pair": (0.5,)}, "pair is 2 numbers in (0, 1] or None, got (0.5,)"),
        ({"decay": 1}, "decay is a number in [0, 1), got 1"),
        ({"decay": math.nan}, "decay is a number in [0, 1), got nan"),
        ({"inner": Inner}, "inner is Inner, got "),
        ({"flag": "false"}, "flag is true or false, got 'false'"),
        ({"seed": 2**32}, "seed is a whole number in [0, 4294967295], got 4294967296"),
        ({"cuont": 3}, "unknown setting 'cuont'; did you mean 'count'?"),
    ],
)
def test_what_does_not_fit_is_one_line(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as error:
        Outer(3).replace(**values)
    said = str(error.value)
    assert said.startswith(message) and "\n" not in said and len(said) < 250


def test_they_survive_json_and_name_what_is_wrong_inside() -> None:
    outer = Outer(3, sizes=[4, 5], inner=Inner(0.25))
    assert outer.sizes == (4, 5)
    data = outer.to_dict()
    assert data["sizes"] == [4, 5] and data["inner"] == {"rate": 0.25}
    assert Outer.from_dict(data) == outer
    assert Outer.from_dict({"count": 3}) == Outer(3)
    for wrong, message in (
        ({}, "setting 'count' is missing"),
        ({"count": 1, "inner": {"rat": 1}}, "inner: unknown setting 'rat'; did you mean 'rate'?"),
        ({"count": 1, "inner": {"rate": -1}}, "inner: rate is a number above 0, got -1"),
        ([1], r"Outer is an object of settings, got \[1\]"),
    ):
        with pytest.raises(ValueError, match=message):
            Outer.from_dict(wrong)


def test_differences_are_named_down_to_the_inner_ones() -> None:
    ours, theirs = Outer(3, decay=0.5, inner=Inner(0.1)), Outer(4, decay=0.5 * (1 + 1e-15))
    assert ours.differences(theirs) == ["count was 4, now 3", "inner.rate was 0.5, now 0.1"]
    assert ours.differences(Outer(4)) == [
        *("count was 4, now 3", "decay was 0.9, now 0.5", "inner.rate was 0.5, now 0.1"),
    ]


def test_the_docstring_says_what_a_field_means() -> None:
    assert documentation(Outer) == {"count": "How many of them.", "kind": "Which kind."}
    types = {name: base_type(hint) for name, hint in hints(Outer).items()}
    assert types["count"] is int and types["kind"] is str and types["pair"] is tuple
    assert types["decay"] is float and types["inner"] is Inner

"""What every space must do: round trips, sampling, mutation, canonical forms, bad input."""

import numpy as np
import pytest

from nasnet_keras.genotypes import (
    NASNET_A,
    NASNET_OPERATIONS,
    PNASNET_5,
)
from nasnet_keras.search import (
    CategoricalSpace,
    LayerwiseSpace,
    NASNetSpace,
    PNASSpace,
    Space,
    get_space,
    list_spaces,
)

SPACES = [
    NASNetSpace(),
    NASNetSpace(2),
    PNASSpace(),
    PNASSpace(2, operations=("max_pool_3x3", "separable_3x3")),
    LayerwiseSpace(5),
    LayerwiseSpace(4, strides=True),
    LayerwiseSpace(2, max_layers=4),
    LayerwiseSpace(3, pool_layers=(1,)),
    CategoricalSpace("table", {"a": (1, 2, 3), "b": ("x", "y"), "c": (0.5,)}),
]


def described(space: Space) -> str:
    return "-".join(str(value) for value in space.config().values())[:30]


@pytest.mark.parametrize("space", SPACES, ids=described)
def test_architectures_survive_decoding_and_encoding(space: Space) -> None:
    generator = np.random.default_rng(0)
    for _ in range(30):
        architecture = space.sample(generator)
        assert space.encode(space.decode(architecture)) == architecture
        assert space.check(np.array(architecture)) == architecture


@pytest.mark.parametrize("space", SPACES, ids=described)
def test_sampling_is_uniform_over_every_decision(space: Space) -> None:
    generator = np.random.default_rng(1)
    drawn = np.array([space.sample(generator) for _ in range(4000)])
    for column, decision in zip(drawn.T, space.decisions, strict=True):
        share = 1 / len(decision.choices)
        shares = np.bincount(column, minlength=len(decision.choices)) / len(drawn)
        # Five standard deviations.
        np.testing.assert_allclose(shares, share, atol=5 * np.sqrt(share * (1 - share) / 4000))


@pytest.mark.parametrize("space", SPACES, ids=described)
def test_mutation_changes_one_decision_and_reaches_all(space: Space) -> None:
    generator = np.random.default_rng(2)
    start = space.sample(generator)
    changes = set()
    for _ in range(8000):
        mutated = space.mutate(start, generator)
        different = [i for i, (a, b) in enumerate(zip(start, mutated, strict=True)) if a != b]
        assert len(different) == 1
        changes.add((different[0], mutated[different[0]]))
    assert len(changes) == sum(len(decision.choices) - 1 for decision in space.decisions)


@pytest.mark.parametrize("space", SPACES, ids=described)
def test_a_canonical_form_is_its_own(space: Space) -> None:
    generator = np.random.default_rng(4)
    for _ in range(50):
        form = space.canonical(space.sample(generator))
        assert space.canonical(form) == form


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: NASNetSpace(0), "num_blocks is a whole number of at least 1, got 0"),
        (lambda: LayerwiseSpace(0), "num_layers is a whole number of at least 1, got 0"),
        (lambda: get_space("nasnett"), "did you mean 'nasnet'"),
        (lambda: get_space("nasnet", blocks=3), "did you mean 'num_blocks'"),
        (lambda: NASNetSpace().check([0] * 49), "has 50 decisions, got 49"),
        (lambda: NASNetSpace().check([2] + [0] * 49), "block_0/input_1' has choices 0 to 1"),
        (lambda: NASNetSpace().check([0.5] * 50), "sequence of whole numbers"),
        (lambda: NASNetSpace(4).encode(NASNET_A), "normal cell of this space has 4 blocks"),
        (lambda: NASNetSpace().encode(PNASNET_5), "unused blocks, here states [2, 3, 5, 6], but"),
        (lambda: NASNetSpace().encode(NASNET_A), "normal cell: in this space"),
        (lambda: PNASSpace().encode(NASNET_A), "has a reduction cell"),
        (lambda: PNASSpace(4).encode(PNASNET_5), "1 to 4 blocks, got 5"),
        (lambda: PNASSpace().check([0, 0, 0]), "4 decisions a block"),
        (lambda: PNASSpace(operations=["seperable_3x3"]), "did you mean 'separable_3x3'?"),
        (lambda: PNASSpace(operations="identity,identity"), "operations has 'identity' twice"),
        (lambda: PNASSpace(operations=[]), "operations has one name or more, got none"),
        (lambda: PNASSpace(operations=3), "operations is names with commas between, got 3"),
        (lambda: PNASSpace(1).children([(0, 0, 0, 0)]), "below 1; got [1]"),
        (lambda: PNASSpace().children([]), "no cells to expand"),
        (lambda: CategoricalSpace("t", {}), "has no decisions"),
        (lambda: CategoricalSpace("t", {"a": ()}), "'a' has no choices"),
        (lambda: CategoricalSpace("t", {"a": (1, 1)}), "has a choice twice"),
        (lambda: CategoricalSpace("t", {"a": ([],)}), "a string, a number or a boolean"),
        (lambda: CategoricalSpace("t", {"a": (1,)}, {"b": "k"}), "unknown decision 'b'"),
        (lambda: SPACES[-1].encode({"a": 1, "b": "z", "c": 0.5}), "unknown choice 'z'"),
        (lambda: SPACES[-1].encode({"a": 1}), "'b' is missing"),
        (lambda: CategoricalSpace("t", {"a": (1,)}).mutate((0,), np.random.default_rng()),
         "a single architecture"),
        (lambda: LayerwiseSpace(2).encode(LayerwiseSpace(1).decode([0, 0, 0])), "2 layers, got 1"),
    ],
)  # fmt: skip
def test_bad_input_is_named(call, message: str) -> None:
    with pytest.raises(ValueError) as error:
        call()
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_every_listed_space_can_be_made() -> None:
    assert [get_space(name).config()["space"] for name in list_spaces()] == list_spaces()
    assert get_space("pnas", num_blocks=3).config() == {"space": "pnas", "num_blocks": 3}
    assert {op for op in NASNET_OPERATIONS} >= set(PNASSpace().decisions[2].choices)

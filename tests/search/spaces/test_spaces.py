"""Spaces: counts, round trips, canonical forms, bad input."""

import dataclasses
import itertools

import numpy as np
import pytest

from nasnet_keras.genotypes import (
    NASNET_A,
    NASNET_OPERATIONS,
    PNASNET_5,
    Block,
    Branch,
    CellGenotype,
    Genotype,
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
    LayerwiseSpace(5),
    LayerwiseSpace(4, strides=True),
    CategoricalSpace("table", {"a": (1, 2, 3), "b": ("x", "y"), "c": (0.5,)}),
]


def described(space: Space) -> str:
    return "-".join(str(value) for value in space.config().values())[:30]


def rows_of(cell: CellGenotype) -> list[tuple]:
    return [(b.left.input, b.left.operation, b.right.input, b.right.operation, b.combine)
            for b in cell.blocks]  # fmt: skip


def isomorphic(first: CellGenotype, second: CellGenotype) -> bool:
    """Tries every renumbering of the blocks: the definition, not the algorithm under test."""
    if len(first.blocks) != len(second.blocks):
        return False
    count = len(first.blocks)
    for order in itertools.permutations(range(count)):
        moved = [0, 1, *(order[i] + 2 for i in range(count))]
        if {moved[i] for i in first.outputs} == set(second.outputs) and all(
            block.combine == second.blocks[order[i]].combine
            and sorted((moved[int(b.input)], b.operation) for b in block.branches)
            == sorted((int(b.input), b.operation) for b in second.blocks[order[i]].branches)
            for i, block in enumerate(first.blocks)
        ):
            return True
    return False


def shuffled(cell: CellGenotype, generator: np.random.Generator) -> CellGenotype:
    """Writes a cell in another order, with halves swapped."""
    rest = list(range(len(cell.blocks)))
    moved = {0: 0, 1: 1}
    blocks = []
    while rest:
        ready = [i for i in rest if all(int(b.input) in moved for b in cell.blocks[i].branches)]
        number = int(generator.choice(ready))
        halves = [Branch(b.operation, moved[int(b.input)]) for b in cell.blocks[number].branches]
        generator.shuffle(halves)  # type: ignore[arg-type]
        blocks.append(Block(*halves, cell.blocks[number].combine))
        moved[number + 2] = len(moved)
        rest.remove(number)
    return CellGenotype(tuple(blocks), concat=tuple(moved[i] for i in cell.outputs))


def test_pnas_counts_are_the_papers() -> None:
    space = PNASSpace()
    assert [len(space.block_choices(i)) for i in range(5)] == [136, 300, 528, 820, 1176]
    raw = [int(np.prod([len(d.choices) for d in space.decisions[i : i + 4]]))
           for i in range(0, 20, 4)]  # fmt: skip
    assert raw == [256, 576, 1024, 1600, 2304]
    assert space.count() == 256 * 576 * 1024 * 1600 * 2304 == 556627761561600
    first = space.first_level()
    assert len(first) == len({space.canonical(cell) for cell in first}) == 136
    assert len(space.children(first)) == 136 * 300
    assert len({space.canonical(cell) for cell in space.children(first).tolist()}) == 31620


def test_all_one_block_architectures_are_136_networks() -> None:
    space = PNASSpace(1)
    sizes = [range(len(decision.choices)) for decision in space.decisions]
    assert len({space.key(architecture) for architecture in itertools.product(*sizes)}) == 136


def test_nasnet_makes_fifty_decisions() -> None:
    space = NASNetSpace()
    assert len(space.decisions) == 50
    names = [decision.name for decision in space.decisions[5:10]]
    assert names == [
        f"normal/block_1/{what}"
        for what in ("input_1", "input_2", "operation_1", "operation_2", "combine")
    ]
    assert space.decisions[25].name == "reduction/block_0/input_1"
    assert [len(space.decisions[5 * b].choices) for b in range(5)] == [2, 3, 4, 5, 6]
    cell = np.prod([(n * n) * 13 * 13 * 2 for n in range(2, 7)], dtype=object)
    assert space.count() == cell**2


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


def test_mutation_draws_the_kind_first() -> None:
    space = NASNetSpace()
    generator = np.random.default_rng(3)
    start = space.sample(generator)
    kinds = []
    for _ in range(3000):
        mutated = space.mutate(start, generator)
        number = next(i for i in range(50) if mutated[i] != start[i])
        kinds.append(space.decisions[number].kind)
    for kind in ("input", "operation", "combine"):
        assert kinds.count(kind) / 3000 == pytest.approx(1 / 3, abs=0.05)


@pytest.mark.parametrize("space", SPACES, ids=described)
def test_a_canonical_form_is_its_own(space: Space) -> None:
    generator = np.random.default_rng(4)
    for _ in range(50):
        form = space.canonical(space.sample(generator))
        assert space.canonical(form) == form


def test_canonical_forms_agree_exactly_where_cells_are_isomorphic() -> None:
    """Few operations and many blocks, so that alike blocks and coincidences abound."""
    space = NASNetSpace(4)
    generator = np.random.default_rng(5)
    cells = []
    for _ in range(70):
        architecture = [
            int(generator.integers(2)) if decision.kind == "operation" else value
            for decision, value in zip(space.decisions, space.sample(generator), strict=True)
        ]
        normal = space.decode(architecture).normal
        cells += [normal, shuffled(normal, generator)]
    # Twins that are read in different ways are what a plain sort gets wrong.
    twin = ("identity", 0, "identity", 1)
    for reads in ([2, 2, 3, 3], [2, 3, 2, 3], [2, 3, 3, 3], [3, 3, 2, 2]):
        rows = [twin, twin, ("identity", reads[0], "identity", reads[1]),
                ("identity", reads[2], "conv_1x1", reads[3])]  # fmt: skip
        blocks = tuple(Block(Branch(a, b), Branch(c, d)) for a, b, c, d in rows)
        cells.append(CellGenotype(blocks, concat=(4, 5)))
    forms = [space.key(space.encode(Genotype("cells", cell, cell))) for cell in cells]
    same = 0
    for i, j in itertools.combinations(range(len(cells)), 2):
        expected = isomorphic(cells[i], cells[j])
        same += expected
        assert (forms[i] == forms[j]) == expected, (rows_of(cells[i]), rows_of(cells[j]))
    assert same >= 71


def test_two_block_networks_are_31620_by_brute_force() -> None:
    """Counts classes by joining each architecture with its images under the two symmetries."""
    count = 0
    halves0 = [(i, o) for i in range(2) for o in range(8)]
    halves1 = [(i, o) for i in range(3) for o in range(8)]
    seen = set()
    blocks0 = {tuple(sorted(pair)) for pair in itertools.product(halves0, repeat=2)}
    blocks1 = {tuple(sorted(pair)) for pair in itertools.product(halves1, repeat=2)}
    for first, second in itertools.product(blocks0, blocks1):
        if (first, second) not in seen:
            count += 1
            independent = all(i < 2 for i, _ in second)
            seen |= {(first, second), (second, first)} if independent else {(first, second)}
    assert count == 31620


@pytest.mark.parametrize("space", [NASNetSpace(3), NASNetSpace(5)], ids=described)
def test_equivalent_architectures_have_one_key(space: NASNetSpace) -> None:
    generator = np.random.default_rng(6)
    for _ in range(40):
        architecture = space.sample(generator)
        genotype = space.decode(architecture)
        assert genotype.reduction is not None
        other = Genotype(
            "other", shuffled(genotype.normal, generator), shuffled(genotype.reduction, generator)
        )
        again = space.encode(other)
        assert space.key(again) == space.key(architecture)
        assert space.decode(again).name == genotype.name
    assert space.key(architecture) != space.key(
        space.mutate(space.canonical(architecture), generator)
    )


def test_pnasnet_5_is_in_the_pnas_space() -> None:
    space = PNASSpace()
    architecture = space.encode(PNASNET_5)
    assert space.decode(architecture).normal == PNASNET_5.normal
    assert len(architecture) == 20


def test_layers_in_another_order_are_one_network() -> None:
    space = LayerwiseSpace(4)
    network = space.decode([0, 0, 0, 1, 1, 1, 0, 2, 2, 2, 1, 0, 3, 3, 3, 0, 1, 1])
    a, b, c, d = network.layers
    assert [layer.inputs for layer in network.layers] == [(), (), (0,), (1, 2)]
    assert network.outputs == (3,)
    move = dataclasses.replace
    other = type(network)((b, a, move(c, inputs=(1,)), move(d, inputs=(0, 2))))
    third = type(network)((a, move(c, inputs=(0,)), b, move(d, inputs=(1, 2))))
    different = type(network)((a, b, c, move(d, inputs=(0, 2))))
    keys = [space.key(space.encode(n)) for n in (network, other, third, different)]
    assert keys[0] == keys[1] == keys[2] != keys[3]


def test_layerwise_choices_are_the_papers() -> None:
    space = LayerwiseSpace(3, strides=True)
    assert [d.choices for d in space.decisions[:5]] == [
        (1, 3, 5, 7), (1, 3, 5, 7), (1, 2, 3), (1, 2, 3), (24, 36, 48, 64)
    ]  # fmt: skip
    assert [d.anchor for d in space.decisions if d.kind == "skip"] == [4, 4, 10]
    assert len(LayerwiseSpace(15).decisions) == 15 * 3 + 105


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


@pytest.mark.parametrize(
    ("space", "architecture", "key", "name", "operations"),
    [
        (
            NASNetSpace(2),
            [1, 0, 4, 11, 1, 2, 0, 0, 7, 0, 1, 0, 9, 3, 1, 0, 1, 5, 12, 0],
            "0.1.11.4.1.0.2.7.0.0.0.1.3.9.1.0.1.5.12.0",
            "nasnet_ff13e63152",
            ["avg_pool_3x3", "separable_5x5", "identity", "max_pool_7x7"],
        ),
        (
            PNASSpace(2),
            [1, 0, 1, 0, 1, 2, 5, 4],
            "0.1.0.1.1.2.5.4",
            "pnas_f3376da856",
            ["separable_5x5", "separable_3x3", "avg_pool_3x3", "identity"],
        ),
    ],
)
def test_the_journals_of_earlier_searches_mean_what_they_meant(
    space: Space, architecture: list[int], key: str, name: str, operations: list[str]
) -> None:
    genotype = space.decode(architecture)
    assert space.key(architecture) == key and genotype.name == name
    found = [b.operation for block in genotype.normal.blocks for b in block.branches]
    assert found == operations

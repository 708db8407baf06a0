"""The layout of a network: which cells, in which order, reading what. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.genotypes import CellGenotype
from nasnet_keras.models.config import NetworkConfig

NUM_REDUCTIONS = 2
NUM_STEM_CELLS = 2


@dataclass(frozen=True)
class PlannedCell:
    """One cell of a network.

    Attributes:
        name: Layer name and slim scope, e.g. `"cell_0"`.
        genotype: The cell.
        filters: Its F.
        strides: 1 or 2.
        number: Its number in drop path's count, stem and reduction cells counted.
        current: Which earlier output is h_i: 0 is the stem's convolution, k + 1 the k-th cell.
        previous: Which is h_{i-1}; `None` for the first cell, which uses the raw h_i.
        previous_reduction: How many times larger h_{i-1} is than h_i, 1 or 2.
        auxiliary: Name of the auxiliary head that reads its output, `""` for none.
    """

    name: str
    genotype: CellGenotype
    filters: int
    strides: int
    number: int
    current: int
    previous: int | None
    previous_reduction: int
    auxiliary: str


@dataclass(frozen=True)
class NetworkPlan:
    """All cells of a network, in order.

    Attributes:
        cells: The cells, the stem's included.
        total_cells: The count by which drop path scales (slim: CIFAR `num_cells` + 2, ImageNet
            `num_cells` + 4, PNASNet `num_cells` + 2).
    """

    cells: tuple[PlannedCell, ...]
    total_cells: int


def reduction_indices(num_cells: int) -> tuple[int, ...]:
    """Returns the cells before (or at) which the resolution halves: `int(k / 3 * num_cells)`.

    Source: slim `nasnet_utils.calc_reduction_layers`.
    """
    return tuple(k * num_cells // (NUM_REDUCTIONS + 1) for k in range(1, NUM_REDUCTIONS + 1))


def plan_network(config: NetworkConfig) -> NetworkPlan:
    """Lays out the cells of a network.

    Sources: slim `nasnet._build_nasnet_base`, `_imagenet_stem`, `pnasnet._build_pnasnet_base`.

    Args:
        config: The network.

    Returns:
        Its cells.
    """
    normal = config.genotype.normal
    strided_normal = config.reduction == "strided_normal"
    reducing = (None if strided_normal else config.genotype.reduction) or normal
    four_inputs = normal.num_inputs == 4
    indices = reduction_indices(config.num_cells)
    cells: list[PlannedCell] = []
    scales = [1]  # How far each output is below the stem convolution's resolution.

    def add(
        name: str,
        cell: CellGenotype,
        filters: int,
        strides: int,
        previous: int | None,
        auxiliary: str = "",
    ) -> None:
        current = len(cells)
        reference = current if previous is None else previous
        # A four-input cell reads the states of the one cell before it.
        ratio = 1 if four_inputs else scales[current] // scales[reference]
        cells.append(
            PlannedCell(
                name,
                cell,
                filters,
                strides,
                len(cells),
                current,
                None if four_inputs else previous,
                ratio,
                auxiliary,
            )
        )
        scales.append(scales[current] * strides)

    def two_back() -> int | None:
        return len(cells) - 1 if cells else None

    if config.stem == "imagenet":
        for k in range(NUM_STEM_CELLS):
            # slim truncates, so F = 54 gives 13 and 27.
            filters = int(config.filters / 2 ** (NUM_STEM_CELLS - k))
            add(f"cell_stem_{k}", reducing, filters, 2, two_back())
    filters = config.filters
    for k in range(config.num_cells):
        previous = two_back()
        reduces = k in indices
        auxiliary = f"aux_{k}" if k == indices[1] - 1 else ""
        if reduces:
            filters *= 2
        if reduces and not strided_normal:
            order = indices.index(k)
            replaces = config.reduction == "replace"
            name = f"reduction_cell_{order}"
            add(name, reducing, filters, 2, previous, auxiliary if replaces else "")
            if replaces:
                continue
            if not config.skip_reduction_layer_input:
                previous = two_back()
        strides = 2 if reduces and strided_normal else 1
        add(f"cell_{k}", normal, filters, strides, previous, auxiliary)

    extra = NUM_STEM_CELLS if config.stem == "imagenet" else 0
    total = config.num_cells + extra + (NUM_REDUCTIONS if config.reduction == "cell" else 0)
    return NetworkPlan(tuple(cells), total)

"""Every published cell, and the layer-wise network, by name.

Sources: NASNet-A and PNASNet-5, the lists released in TF-Slim (`nasnet_utils.py`, `pnasnet.py`);
NASNet-B and -C, the figures of Zoph et al. 2018, appendix A.4; AmoebaNet, `tensorflow/tpu`'s
`amoeba_net/model_specs.py`.
"""

from nasnet_keras.genotypes.genotype import Block, Branch, CellGenotype, Genotype
from nasnet_keras.genotypes.nas_v1 import NAS_V1
from nasnet_keras.genotypes.network_genotype import NetworkGenotype
from nasnet_keras.genotypes.slim import cell_from_slim
from nasnet_keras.text.suggestions import unknown_name

NASNET_A = Genotype(
    "nasnet_a",
    normal=cell_from_slim(
        ["separable_5x5_2", "separable_3x3_2", "separable_5x5_2", "separable_3x3_2"]
        + ["avg_pool_3x3", "none", "avg_pool_3x3", "avg_pool_3x3", "separable_3x3_2", "none"],
        [0, 1, 1, 1, 0, 1, 1, 1, 0, 0],
        [1, 0, 0, 0, 0, 0, 0],
    ),
    reduction=cell_from_slim(
        ["separable_5x5_2", "separable_7x7_2", "max_pool_3x3", "separable_7x7_2"]
        + ["avg_pool_3x3", "separable_5x5_2", "none", "avg_pool_3x3"]
        + ["separable_3x3_2", "max_pool_3x3"],
        [0, 1, 0, 1, 0, 1, 3, 2, 2, 0],
        [1, 1, 1, 0, 0, 0, 0],
    ),
)

PNASNET_5 = Genotype(
    "pnasnet_5",
    normal=cell_from_slim(
        ["separable_5x5_2", "max_pool_3x3", "separable_7x7_2", "max_pool_3x3"]
        + ["separable_5x5_2", "separable_3x3_2", "separable_3x3_2", "max_pool_3x3"]
        + ["separable_3x3_2", "none"],
        [1, 1, 0, 0, 0, 0, 4, 0, 1, 0],
        [1, 1, 0, 0, 0, 0, 0],
    ),
)


def _block(
    left: str, left_input: int | str, right: str, right_input: int | str, combine: str
) -> Block:
    return Block(Branch(left, left_input), Branch(right, right_input), combine)


# The blocks are in the order of the figure's output labels, so output j is block j.
NASNET_B = Genotype(
    "nasnet_b",
    normal=CellGenotype(
        blocks=(
            _block("separable_5x5", "state_1", "identity", "state_2", "add_layer_norm"),
            _block("separable_5x5", "state_0", "separable_3x3", "state_3", "add_layer_norm"),
            _block("separable_3x3", "state_1", "identity", "state_3", "add_layer_norm"),
            _block("identity", "state_0", "separable_3x3", "state_1", "add_layer_norm"),
        ),
        states=("block_0", "block_1", "block_2", "block_3"),
        num_inputs=4,
    ),
    reduction=CellGenotype(
        blocks=(
            _block("separable_3x3", "state_0", "separable_3x3", "state_1", "add_layer_norm"),
            _block("separable_3x3", "state_1", "identity", "state_3", "add_layer_norm"),
            _block("identity", "state_2", "avg_pool_3x3", "state_3", "add"),
            _block("avg_pool_3x3", "state_0", "conv_1x3_3x1", "block_0", "add"),
        ),
        states=("block_0", "block_1", "block_2", "block_3"),
        num_inputs=4,
    ),
)

NASNET_C = Genotype(
    "nasnet_c",
    normal=CellGenotype(
        blocks=(
            _block("separable_3x3", 0, "separable_5x5", 0, "add"),
            _block("separable_3x3", 0, "separable_3x3", 1, "add_instance_norm"),
            _block("separable_3x3", 0, "separable_3x3", 1, "concat"),
            _block("separable_3x3", 1, "conv_1x3_3x1", 1, "add_layer_norm"),
        ),
        concat=("block_0", "block_1", "block_2", "block_3"),
    ),
    reduction=CellGenotype(
        blocks=(
            _block("max_pool_3x3", 0, "max_pool_3x3", 0, "concat"),
            _block("conv_1x7_7x1", 0, "max_pool_3x3", 1, "add_layer_norm"),
            _block("max_pool_3x3", 0, "max_pool_3x3", 1, "add_instance_norm"),
            _block("separable_7x7", 1, "max_pool_5x5", 1, "add_layer_norm"),
        ),
        concat=("block_0", "block_1", "block_2", "block_3"),
    ),
)

AMOEBANET_A = Genotype(
    "amoebanet_a",
    normal=cell_from_slim(
        ["avg_pool_3x3", "max_pool_3x3", "separable_3x3_2", "none", "none", "avg_pool_3x3"]
        + ["separable_3x3_2", "separable_5x5_2", "avg_pool_3x3", "separable_3x3_2"],
        [0, 0, 1, 1, 0, 1, 0, 2, 5, 0],
        [1, 0, 1, 0, 0, 1, 0],
    ),
    reduction=cell_from_slim(
        ["separable_3x3_2", "avg_pool_3x3", "max_pool_3x3", "separable_7x7_2", "max_pool_3x3"]
        + ["max_pool_3x3", "separable_3x3_2", "1x7_7x1", "avg_pool_3x3", "separable_7x7_2"],
        [1, 0, 0, 2, 1, 0, 4, 0, 1, 0],
        [1, 1, 0, 0, 0, 0, 0],
    ),
)

AMOEBANET_B = Genotype(
    "amoebanet_b",
    normal=cell_from_slim(
        ["1x1", "max_pool_3x3", "none", "separable_3x3_2", "1x1"]
        + ["separable_3x3_2", "1x1", "none", "avg_pool_3x3", "1x1"],
        [1, 1, 1, 0, 1, 0, 2, 2, 1, 5],
        [0, 1, 1, 0, 0, 1, 0],
    ),
    reduction=cell_from_slim(
        ["max_pool_2x2", "max_pool_3x3", "none", "3x3", "dil_2_separable_5x5_2"]
        + ["max_pool_3x3", "none", "separable_3x3_2", "avg_pool_3x3", "1x1"],
        [0, 0, 2, 1, 2, 2, 3, 1, 4, 3],
        [1, 1, 1, 1, 1, 0, 0],
    ),
)

AMOEBANET_C = Genotype(
    "amoebanet_c",
    normal=cell_from_slim(
        ["avg_pool_3x3", "separable_3x3_2", "none", "separable_3x3_2", "avg_pool_3x3"]
        + ["separable_3x3_2", "none", "separable_3x3_2", "avg_pool_3x3", "separable_3x3_2"],
        [0, 0, 0, 0, 2, 1, 0, 1, 3, 0],
        [1, 0, 0, 1, 0, 0, 0],
    ),
    reduction=cell_from_slim(
        ["max_pool_3x3", "max_pool_3x3", "separable_7x7_2", "separable_3x3_2", "separable_7x7_2"]
        + ["max_pool_3x3", "separable_5x5_2", "separable_5x5_2", "max_pool_3x3"]
        + ["separable_3x3_2"],
        [0, 0, 2, 0, 0, 1, 4, 4, 1, 1],
        [0, 1, 0, 0, 0, 0, 0],
    ),
)

_PUBLISHED: dict[str, NetworkGenotype] = {
    genotype.name: genotype
    for genotype in (
        NAS_V1,
        NASNET_A,
        NASNET_B,
        NASNET_C,
        PNASNET_5,
        AMOEBANET_A,
        AMOEBANET_B,
        AMOEBANET_C,
    )
}


def list_genotypes() -> list[str]:
    """Returns the names of the published genotypes, of either kind."""
    return sorted(_PUBLISHED)


def get_genotype(name: str) -> NetworkGenotype:
    """Returns a published genotype by name, or one of a file, of any kind.

    Args:
        name: A name of `list_genotypes()`, e.g. `"nasnet_a"`, or a `.json` file.

    Returns:
        The genotype.

    Raises:
        OSError: The file cannot be read.
        ValueError: No such name; the nearest one is suggested. Or the file holds no genotype.
    """
    if name.endswith(".json"):
        return NetworkGenotype.load(name)
    if name not in _PUBLISHED:
        raise ValueError(unknown_name("genotype", name, list_genotypes()))
    return _PUBLISHED[name]

"""The operations a cell may apply, as data: layers build them and complexity counts them from here.

Sources: the thirteen operations of NASNet (Zoph et al. 2018, section 3.2); `tensorflow/tpu`'s
AmoebaNet for the 2x2 pools and the dilated separable convolution it applies twice; DARTS for the
dilated separable convolutions it applies once.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "identity", "convolution", "factorized", "separable", "max_pool", "avg_pool", "min_pool"
]


@dataclass(frozen=True)
class OperationSpec:
    """What one operation computes.

    Attributes:
        kind: `identity`; `convolution` (ReLU, square convolution, BN); `factorized` (ReLU, 1xn, BN,
            ReLU, nx1, BN); `separable` (ReLU, depthwise, pointwise, BN, `repeats` times); or a SAME
            pool.
        kernel: Side of the (longest) window, in pixels.
        repeats: How often the operation is applied; the stride is taken by the first application.
        dilation: Dilation rate of the window.
    """

    kind: Kind
    kernel: int = 1
    repeats: int = 1
    dilation: int = 1


OPERATIONS: dict[str, OperationSpec] = {
    # NASNet's search space.
    "identity": OperationSpec("identity"),
    "conv_1x3_3x1": OperationSpec("factorized", 3),
    "conv_1x7_7x1": OperationSpec("factorized", 7),
    "dilated_3x3": OperationSpec("convolution", 3, dilation=2),
    "avg_pool_3x3": OperationSpec("avg_pool", 3),
    "max_pool_3x3": OperationSpec("max_pool", 3),
    "max_pool_5x5": OperationSpec("max_pool", 5),
    "max_pool_7x7": OperationSpec("max_pool", 7),
    "conv_1x1": OperationSpec("convolution", 1),
    "conv_3x3": OperationSpec("convolution", 3),
    "separable_3x3": OperationSpec("separable", 3, repeats=2),
    "separable_5x5": OperationSpec("separable", 5, repeats=2),
    "separable_7x7": OperationSpec("separable", 7, repeats=2),
    # AmoebaNet's.
    "max_pool_2x2": OperationSpec("max_pool", 2),
    "min_pool_2x2": OperationSpec("min_pool", 2),
    "dilated_separable_5x5_twice": OperationSpec("separable", 5, repeats=2, dilation=2),
    # DARTS's.
    "dilated_separable_3x3": OperationSpec("separable", 3, dilation=2),
    "dilated_separable_5x5": OperationSpec("separable", 5, dilation=2),
}

NASNET_OPERATIONS: tuple[str, ...] = (
    "identity",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "dilated_3x3",
    "avg_pool_3x3",
    "max_pool_3x3",
    "max_pool_5x5",
    "max_pool_7x7",
    "conv_1x1",
    "conv_3x3",
    "separable_3x3",
    "separable_5x5",
    "separable_7x7",
)
"""The thirteen operations of NASNet's search space, in the order of the paper's list."""

COMBINERS: tuple[str, ...] = ("add", "concat", "add_layer_norm", "add_instance_norm")
"""How a block joins its two halves."""

"""What makes an inference graph smaller and leaves its numbers as they are."""

from nasnet_keras.export.graph.passes.affine_backward import fold_affine_backward
from nasnet_keras.export.graph.passes.affine_forward import fold_affine_forward
from nasnet_keras.export.graph.passes.channel_padding import pad_channels
from nasnet_keras.export.graph.passes.dead_nodes import keep_outputs, remove_dead_nodes
from nasnet_keras.export.graph.passes.doubled_sums import fold_doubled_sums
from nasnet_keras.export.graph.passes.equal_nodes import merge_equal_nodes
from nasnet_keras.export.graph.passes.optimized import optimized
from nasnet_keras.export.graph.passes.pointwise_convolutions import merge_pointwise_convolutions

__all__ = [
    "fold_affine_backward",
    "fold_affine_forward",
    "fold_doubled_sums",
    "keep_outputs",
    "merge_equal_nodes",
    "merge_pointwise_convolutions",
    "optimized",
    "pad_channels",
    "remove_dead_nodes",
]

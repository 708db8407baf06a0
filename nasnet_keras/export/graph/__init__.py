"""The inference graph: a network as data, for files that other programs read."""

from nasnet_keras.export.graph.interpreter import compute
from nasnet_keras.export.graph.nodes import Graph
from nasnet_keras.export.graph.shapes import shapes

__all__ = ["Graph", "compute", "shapes"]

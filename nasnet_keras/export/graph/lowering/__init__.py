"""From Keras layers to the nodes of the inference graph."""

from nasnet_keras.export.graph.lowering.detector import detector_stages
from nasnet_keras.export.graph.lowering.graph_of import graph_of

__all__ = ["detector_stages", "graph_of"]

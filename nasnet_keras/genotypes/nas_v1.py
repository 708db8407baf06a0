"""The network of Zoph and Le 2017, figure 7, that its search without strides and pools found."""

from nasnet_keras.genotypes.layerwise import ConvolutionLayer, LayerwiseGenotype

# Height and width of the window, filters, and the layers read.
_LAYERS: tuple[tuple[int, int, int, tuple[int, ...]], ...] = (
    (3, 3, 36, ()),
    (3, 3, 48, (0,)),
    (3, 3, 36, (0, 1)),
    (5, 5, 36, (0, 1, 2)),
    (3, 7, 48, (2, 3)),
    (7, 7, 48, (1, 2, 3, 4)),
    (7, 7, 48, (1, 2, 3, 4, 5)),
    (7, 3, 36, (0, 5, 6)),
    (7, 1, 36, (0, 4, 5, 7)),
    (7, 7, 36, (0, 2, 3, 4, 5, 6, 7, 8)),
    (5, 7, 36, (0, 1, 4, 5, 6, 7, 8, 9)),
    (7, 7, 48, (0, 1, 2, 3, 5, 10)),
    (7, 5, 48, (0, 2, 5, 6, 7, 8, 9, 10, 11)),
    (7, 5, 48, (2, 6, 11, 12)),
    (7, 5, 48, (5, 6, 10, 11, 12, 13)),
)

NAS_V1 = LayerwiseGenotype(
    "nas_v1",
    tuple(ConvolutionLayer(h, w, 1, 1, n, inputs) for h, w, n, inputs in _LAYERS),
)
"""15 layers, 5.50 % test error on CIFAR-10 with 4.2M parameters (table 1).

The paper gives the layers as a drawing only. That these have 4,201,630 trainable parameters is the
check there is on how its lines were read.
"""

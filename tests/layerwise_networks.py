"""Two small layer-wise networks: one with strides and a pool, one of one resolution."""

from nasnet_keras.genotypes import ConvolutionLayer, LayerwiseGenotype, MaxPoolLayer

MIXED = LayerwiseGenotype(
    "mixed",
    (
        ConvolutionLayer(3, 5, 2, 1, 6),
        ConvolutionLayer(1, 3, 1, 1, 4),
        MaxPoolLayer(2, inputs=(1,)),
        ConvolutionLayer(3, 3, 3, 2, 5, inputs=(0, 1, 2)),
        ConvolutionLayer(5, 1, 1, 1, 7, inputs=(0, 2)),
    ),
)
PLAIN = LayerwiseGenotype(
    "plain",
    (
        ConvolutionLayer(3, 3, 1, 1, 4),
        ConvolutionLayer(1, 5, 1, 1, 3, inputs=(0,)),
        ConvolutionLayer(3, 1, 1, 1, 5, inputs=(0, 1)),
    ),
)

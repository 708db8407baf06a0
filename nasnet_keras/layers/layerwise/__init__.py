"""The layers of networks that are described layer by layer."""

from nasnet_keras.layers.layerwise.convolution_norm_relu import ConvolutionNormRelu
from nasnet_keras.layers.layerwise.padded_concatenate import PaddedConcatenate

__all__ = ["ConvolutionNormRelu", "PaddedConcatenate"]

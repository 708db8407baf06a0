"""The Keras layers of which every network is made."""

from nasnet_keras.layers.auxiliary_head import AuxiliaryHead
from nasnet_keras.layers.batch_normalization import BatchNormalization
from nasnet_keras.layers.cell import Cell
from nasnet_keras.layers.classifier_head import ClassifierHead
from nasnet_keras.layers.combine import Combine
from nasnet_keras.layers.convolution import Convolution
from nasnet_keras.layers.drop_path import DropPath, DropPathSchedule
from nasnet_keras.layers.factorized_conv import FactorizedConv
from nasnet_keras.layers.factorized_reduction import FactorizedReduction
from nasnet_keras.layers.identity import Identity
from nasnet_keras.layers.operations import make_operation
from nasnet_keras.layers.pooling import Pooling
from nasnet_keras.layers.separable_conv import SeparableConv

__all__ = [
    "AuxiliaryHead",
    "BatchNormalization",
    "Cell",
    "ClassifierHead",
    "Combine",
    "Convolution",
    "DropPath",
    "DropPathSchedule",
    "FactorizedConv",
    "FactorizedReduction",
    "Identity",
    "Pooling",
    "SeparableConv",
    "make_operation",
]

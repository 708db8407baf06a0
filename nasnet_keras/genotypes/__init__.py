"""Cells and layers as data; imports only the standard library."""

from nasnet_keras.genotypes.darts import cell_from_darts, genotype_from_darts
from nasnet_keras.genotypes.genotype import MOST_BLOCKS, Block, Branch, CellGenotype, Genotype
from nasnet_keras.genotypes.layerwise import (
    MOST_LAYERS,
    ConvolutionLayer,
    Layer,
    LayerwiseGenotype,
    MaxPoolLayer,
)
from nasnet_keras.genotypes.nas_v1 import NAS_V1
from nasnet_keras.genotypes.network_genotype import NetworkGenotype
from nasnet_keras.genotypes.operation_table import (
    COMBINERS,
    NASNET_OPERATIONS,
    OPERATIONS,
    OperationSpec,
)
from nasnet_keras.genotypes.published import (
    AMOEBANET_A,
    AMOEBANET_B,
    AMOEBANET_C,
    NASNET_A,
    NASNET_B,
    NASNET_C,
    PNASNET_5,
    get_genotype,
    list_genotypes,
)
from nasnet_keras.genotypes.slim import cell_from_slim

__all__ = [
    "AMOEBANET_A",
    "AMOEBANET_B",
    "AMOEBANET_C",
    "COMBINERS",
    "MOST_BLOCKS",
    "MOST_LAYERS",
    "NASNET_A",
    "NASNET_B",
    "NASNET_C",
    "NASNET_OPERATIONS",
    "NAS_V1",
    "OPERATIONS",
    "PNASNET_5",
    "Block",
    "Branch",
    "CellGenotype",
    "ConvolutionLayer",
    "Genotype",
    "Layer",
    "LayerwiseGenotype",
    "MaxPoolLayer",
    "NetworkGenotype",
    "OperationSpec",
    "cell_from_darts",
    "cell_from_slim",
    "genotype_from_darts",
    "get_genotype",
    "list_genotypes",
]

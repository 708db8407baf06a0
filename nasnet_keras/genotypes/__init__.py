"""Cells as data; imports only the standard library."""

from nasnet_keras.genotypes.darts import cell_from_darts, genotype_from_darts
from nasnet_keras.genotypes.genotype import MOST_BLOCKS, Block, Branch, CellGenotype, Genotype
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
    "NASNET_A",
    "NASNET_B",
    "NASNET_C",
    "NASNET_OPERATIONS",
    "OPERATIONS",
    "PNASNET_5",
    "Block",
    "Branch",
    "CellGenotype",
    "Genotype",
    "OperationSpec",
    "cell_from_darts",
    "cell_from_slim",
    "genotype_from_darts",
    "get_genotype",
    "list_genotypes",
]

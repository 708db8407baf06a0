"""Which published genotypes and networks are made of cells, for the tests of these."""

from nasnet_keras.genotypes import Genotype, get_genotype, list_genotypes
from nasnet_keras.models import NetworkConfig, get_preset, list_models

CELL_GENOTYPES = [name for name in list_genotypes() if isinstance(get_genotype(name), Genotype)]


def cell_networks(pattern: str = "*") -> list[str]:
    """Returns the names of the published networks of cells."""
    return [
        name for name in list_models(pattern) if isinstance(get_preset(name).config, NetworkConfig)
    ]

"""The configuration of a published network with changes, its genotype's kind among them."""

from __future__ import annotations

from typing import Any

from nasnet_keras.genotypes import LayerwiseGenotype, NetworkGenotype, get_genotype
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.models.presets import get_preset


def preset_config(name: str, **overrides: Any) -> NetworkConfig | LayerwiseConfig:
    """Returns the configuration of a published network with some values replaced.

    Layers in place of cells make a layer-wise network with that network's batch normalization.

    Args:
        name: A name of `list_models()`.
        **overrides: Fields of the configuration, e.g. `genotype=...`.

    Raises:
        OSError: A genotype's file cannot be read.
        ValueError: A name is unknown, a value is illegal, or cells are to replace layers.
    """
    config = get_preset(name).config
    genotype = overrides.get("genotype")
    if isinstance(genotype, str):
        genotype = overrides["genotype"] = get_genotype(genotype)
    if isinstance(config, NetworkConfig) and isinstance(genotype, LayerwiseGenotype):
        config = LayerwiseConfig(
            genotype,
            batch_norm_momentum=config.batch_norm_momentum,
            batch_norm_epsilon=config.batch_norm_epsilon,
            dropout=config.dropout,
        )
    elif isinstance(config, LayerwiseConfig) and not isinstance(
        genotype, LayerwiseGenotype | type(None)
    ):
        given = genotype.name if isinstance(genotype, NetworkGenotype) else genotype
        raise ValueError(
            f"network {name!r} consists of single layers, genotype {given!r} of cells: put them "
            "into a network of cells, e.g. 'nasnet_cifar'"
        )
    return config.replace(**overrides)


def cell_config(name: str) -> NetworkConfig:
    """Returns the configuration of a published network of cells.

    Raises:
        ValueError: No such name, or it is a layer-wise network.
    """
    config = get_preset(name).config
    if isinstance(config, LayerwiseConfig):
        raise ValueError(f"network {name!r} consists of single layers, but cells are needed here")
    return config

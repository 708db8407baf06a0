"""A network of single layers as data (Zoph and Le 2017)."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Annotated

from nasnet_keras.genotypes import ConvolutionLayer, LayerwiseGenotype, get_genotype
from nasnet_keras.settings import Decay, Positive, Range, Settings


@dataclass(frozen=True)
class LayerwiseConfig(Settings):
    """Everything that fixes a layer-wise network but its classes and its input.

    Attributes:
        genotype: The layers, or the name of published ones.
        additional_filters: Filters added to every convolution; 40 in the paper's largest.
        batch_norm_momentum: Decay of BN's moving statistics.
        batch_norm_epsilon: Added to BN's variance.
        dropout: Fraction of the features dropped before the classifier.

    Raises:
        ValueError: A value is out of range.
    """

    _field_kind = "setting of a layer-wise network"

    genotype: LayerwiseGenotype
    additional_filters: Annotated[int, Range(0)] = 0
    batch_norm_momentum: Decay = 0.9
    batch_norm_epsilon: Positive = 1e-5
    dropout: Decay = 0.0

    def __post_init__(self) -> None:
        if isinstance(self.genotype, str):
            object.__setattr__(self, "genotype", get_genotype(self.genotype))
        super().__post_init__()
        _ = self.widened  # Raises where a layer becomes too wide.

    @property
    def widened(self) -> LayerwiseGenotype:
        """The layers as they are built, with the additional filters."""
        if not self.additional_filters:
            return self.genotype
        layers = tuple(
            dataclasses.replace(layer, filters=layer.filters + self.additional_filters)
            if isinstance(layer, ConvolutionLayer)
            else layer
            for layer in self.genotype.layers
        )
        return dataclasses.replace(self.genotype, layers=layers)

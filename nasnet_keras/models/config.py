"""A network as data."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal, get_args

from nasnet_keras.genotypes import Genotype, get_genotype
from nasnet_keras.layers.drop_path import VERSIONS
from nasnet_keras.suggestions import unknown_name

Stem = Literal["cifar", "imagenet"]
Reduction = Literal["cell", "replace", "strided_normal"]


@dataclass(frozen=True)
class NetworkConfig:
    """Everything that fixes a network but its classes and its input.

    Attributes:
        genotype: The cells, or the name of published ones.
        num_cells: Number of normal cells (slim's `num_cells`); under `reduction="replace"` and
            `"strided_normal"` the cells at reduced resolution are among them.
        filters: F of the first stage (slim's `num_conv_filters`); it doubles at each reduction.
        stem: `"cifar"`: one 3x3 convolution; `"imagenet"`: a 3x3 convolution of stride 2 and two
            stem cells at F/4 and F/2.
        stem_filters: Channels of the stem's convolution (slim: 3F for CIFAR, 32 or 96 ImageNet).
        reduction: How the resolution is halved: `"cell"` adds a reduction cell before the normal
            cell (NASNet-A in slim), `"replace"` puts it in that cell's place, `"strided_normal"`
            gives that cell (and the stem's) stride 2 and has no reduction cell (PNASNet).
        skip_reduction_layer_input: As slim's: the normal cell after a reduction takes as h_{i-1}
            what the reduction took, instead of the reduction's own input.
        batch_norm_momentum: Decay of BN's moving statistics.
        batch_norm_epsilon: Added to BN's variance.
        dropout: Share of the features dropped before the classifier.
        drop_path_keep_probability: Keep probability of paths at the end of the schedule.
        drop_path_version: `"v1"`, `"v2"` or `"v3"`, see `nasnet_keras.layers.DropPath`.
        drop_path_total_steps: Training steps of the schedule; needed by v1 and v3.
        bounded_activation: slim's `use_bounded_activation`.
        bottleneck: AmoebaNet's bottleneck around plain convolutions.
        rematerialize: Whether training computes every cell anew for its gradient and keeps only
            the cells' outputs: much less memory, about a third more time, equal numbers.

    Raises:
        ValueError: A value is out of range or two contradict each other.
    """

    genotype: Genotype
    num_cells: int = 18
    filters: int = 32
    stem: Stem = "cifar"
    stem_filters: int = 96
    reduction: Reduction = "cell"
    skip_reduction_layer_input: bool = False
    batch_norm_momentum: float = 0.9
    batch_norm_epsilon: float = 1e-5
    dropout: float = 0.0
    drop_path_keep_probability: float = 1.0
    drop_path_version: str = "v3"
    drop_path_total_steps: int | None = None
    bounded_activation: bool = False
    bottleneck: bool = False
    rematerialize: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.genotype, str):
            object.__setattr__(self, "genotype", get_genotype(self.genotype))
        if not isinstance(self.genotype, Genotype):
            raise ValueError(f"genotype is a Genotype or a name, got {self.genotype!r}")
        for field, allowed in (("stem", get_args(Stem)), ("reduction", get_args(Reduction))):
            if getattr(self, field) not in allowed:
                raise ValueError(unknown_name(field, getattr(self, field), allowed))
        least_filters = 8 if self.stem == "imagenet" else 2
        for field, least in (("num_cells", 2), ("filters", least_filters), ("stem_filters", 1)):
            value = getattr(self, field)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{field} is a whole number of at least {least}, got {value!r}")
        if self.reduction != "strided_normal" and self.genotype.reduction is None:
            raise ValueError(
                f"genotype {self.genotype.name!r} has no reduction cell: use "
                f"reduction='strided_normal', got reduction={self.reduction!r}"
            )
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout is in [0, 1), got {self.dropout!r}")
        keep = self.drop_path_keep_probability
        if not 0 < keep <= 1:
            raise ValueError(f"drop_path_keep_probability is in (0, 1], got {keep!r}")
        if self.drop_path_version not in VERSIONS:
            raise ValueError(unknown_name("drop_path_version", self.drop_path_version, VERSIONS))
        if not 0 <= self.batch_norm_momentum < 1:
            raise ValueError(f"batch_norm_momentum is in [0, 1), got {self.batch_norm_momentum!r}")
        if not self.batch_norm_epsilon > 0:
            raise ValueError(f"batch_norm_epsilon is above 0, got {self.batch_norm_epsilon!r}")
        if keep < 1 and self.drop_path_version != "v2" and not self.drop_path_total_steps:
            raise ValueError(
                f"drop_path_keep_probability={keep} with version {self.drop_path_version} needs "
                "drop_path_total_steps, the length of its schedule"
            )

    def replace(self, **overrides: Any) -> NetworkConfig:
        """Returns a copy with some values replaced.

        Raises:
            ValueError: A name is no field; the nearest one is suggested. Or a value is illegal.
        """
        fields = [field.name for field in dataclasses.fields(self)]
        for name in overrides:
            if name not in fields:
                raise ValueError(unknown_name("network setting", name, fields))
        return dataclasses.replace(self, **overrides)

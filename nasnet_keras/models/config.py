"""A network as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from nasnet_keras.genotypes import Genotype, LayerwiseGenotype, get_genotype
from nasnet_keras.settings import Count, Decay, Positive, Probability, Settings

Stem = Literal["cifar", "imagenet"]
Padding = Literal["slim", "timm", "keras_applications"]
Reduction = Literal["cell", "replace", "strided_normal"]

MOST_BLOCKS = 2_000
"""Blocks of all cells together; published networks have up to 125."""

MOST_PARAMETERS = 2**31
"""Parameters of a network; the largest AmoebaNet of the literature has 557 million."""

DropPathVersion = Literal["v1", "v2", "v3"]


@dataclass(frozen=True)
class NetworkConfig(Settings):
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
        dropout: Fraction of the features dropped before the classifier.
        drop_path_keep_probability: Keep probability of paths at the end of the schedule.
        drop_path_version: `"v1"`, `"v2"` or `"v3"`, see `nasnet_keras.layers.DropPath`.
        drop_path_total_steps: Training steps of the schedule; needed by v1 and v3.
        bounded_activation: slim's `use_bounded_activation`.
        bottleneck: AmoebaNet's bottleneck around plain convolutions.
        rematerialize: Whether training computes every cell anew for its gradient and keeps only
            the cells' outputs: much less memory, about a third more time, equal numbers.
        padding: Whose numbers at the border come out: `"slim"`'s own; or those of
            `"keras_applications"` or `"timm"`, whose strided pools count zeros beyond it, for
            weights that were trained on with them. These need images of a fixed size.

    Raises:
        ValueError: A value is out of range or two contradict each other.
    """

    _field_kind = "network setting"
    # Published: 21 cells, 448 filters.
    _most: ClassVar[dict[str, int]] = {"num_cells": 200, "filters": 8_192, "stem_filters": 8_192}

    genotype: Genotype
    num_cells: Count = 18
    filters: Count = 32
    stem: Stem = "cifar"
    stem_filters: Count = 96
    reduction: Reduction = "cell"
    skip_reduction_layer_input: bool = False
    batch_norm_momentum: Decay = 0.9
    batch_norm_epsilon: Positive = 1e-5
    dropout: Decay = 0.0
    drop_path_keep_probability: Probability = 1.0
    drop_path_version: DropPathVersion = "v3"
    drop_path_total_steps: Count | None = None
    bounded_activation: bool = False
    bottleneck: bool = False
    rematerialize: bool = False
    padding: Padding = "slim"

    def __post_init__(self) -> None:
        if isinstance(self.genotype, str):
            object.__setattr__(self, "genotype", get_genotype(self.genotype))
        if isinstance(self.genotype, LayerwiseGenotype):
            raise ValueError(
                f"genotype {self.genotype.name!r} has no cells: its network is a LayerwiseConfig"
            )
        super().__post_init__()
        least_filters = 8 if self.stem == "imagenet" else 2
        for field, least in (("num_cells", 2), ("filters", least_filters)):
            if getattr(self, field) < least:
                raise ValueError(
                    f"{field} is a whole number of at least {least}, got {getattr(self, field)}"
                )
        if self.reduction != "strided_normal" and self.genotype.reduction is None:
            raise ValueError(
                f"genotype {self.genotype.name!r} has no reduction cell: use "
                f"reduction='strided_normal', got reduction={self.reduction!r}"
            )
        cells = (self.genotype.normal, self.genotype.reduction)
        blocks = self.num_cells * max(len(cell.blocks) for cell in cells if cell)
        if blocks > MOST_BLOCKS:
            raise ValueError(
                f"a network has at most {MOST_BLOCKS:,} blocks, got {blocks:,} in "
                f"num_cells={self.num_cells}"
            )
        keep = self.drop_path_keep_probability
        if keep < 1 and self.drop_path_version != "v2" and not self.drop_path_total_steps:
            raise ValueError(
                f"drop_path_keep_probability={keep} with version {self.drop_path_version} needs "
                "drop_path_total_steps, the length of its schedule"
            )

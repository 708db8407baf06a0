"""The published networks: their configuration beside what the papers report of them."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

from nasnet_keras.genotypes import (
    AMOEBANET_A,
    AMOEBANET_B,
    AMOEBANET_C,
    NAS_V1,
    NASNET_A,
    NASNET_B,
    NASNET_C,
    PNASNET_5,
    Genotype,
)
from nasnet_keras.models.config import NetworkConfig, Reduction
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.text.suggestions import unknown_name


@dataclass(frozen=True)
class Published:
    """What a paper reports of a network; `None` where it is silent.

    Attributes:
        parameters: Parameters in millions, auxiliary head excluded.
        multiply_adds: Multiply-adds in millions at the preset's image size.
        top1: ImageNet top-1 accuracy in percent.
        top5: ImageNet top-5 accuracy in percent.
        cifar10_error: CIFAR-10 test error in percent, standard augmentation.
        cifar10_error_cutout: The same, trained with cutout.
        source: The table.
    """

    parameters: float | None = None
    multiply_adds: float | None = None
    top1: float | None = None
    top5: float | None = None
    cifar10_error: float | None = None
    cifar10_error_cutout: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Preset:
    """A published network.

    Attributes:
        config: The network.
        image_size: Side of the images it was published with, in pixels.
        classes: 10 for CIFAR-10; 1001 for ImageNet, where slim's class 0 is the background.
        published: The paper's figures.
    """

    config: NetworkConfig | LayerwiseConfig
    image_size: int
    classes: int
    published: Published

    @property
    def is_imagenet(self) -> bool:
        """Whether it was published on ImageNet, and not on CIFAR-10."""
        return isinstance(self.config, NetworkConfig) and self.config.stem == "imagenet"


def _cifar(
    genotype: Genotype,
    num_cells: int,
    filters: int,
    published: Published,
    reduction: Reduction = "cell",
    skip: bool = False,
    stem_filters: int | None = None,
) -> Preset:
    config = NetworkConfig(
        genotype,
        num_cells,
        filters,
        stem="cifar",
        stem_filters=stem_filters or 3 * filters,
        reduction=reduction,
        skip_reduction_layer_input=skip,
        batch_norm_momentum=0.9,
        batch_norm_epsilon=1e-5,
    )
    return Preset(config, 32, 10, published)


def _imagenet(
    genotype: Genotype,
    num_cells: int,
    filters: int,
    published: Published,
    image_size: int = 224,
    stem_filters: int = 32,
    reduction: Reduction = "cell",
    skip: bool = False,
    bottleneck: bool = False,
) -> Preset:
    config = NetworkConfig(
        genotype,
        num_cells,
        filters,
        stem="imagenet",
        stem_filters=stem_filters,
        reduction=reduction,
        skip_reduction_layer_input=skip,
        batch_norm_momentum=0.9997,
        batch_norm_epsilon=1e-3,
        bottleneck=bottleneck,
    )
    return Preset(config, image_size, 1001, published)


_NAS = "Zoph and Le 2017, table"
_NASNET = "Zoph et al. 2018, table"
_PNASNET = "Liu et al. 2018, table"

# B and C: the papers do not say how their stages are laid out; `reduction` is the layout whose
# parameters come closest to the published ones.
PRESETS: dict[str, Preset] = {
    "nas_v1": Preset(
        LayerwiseConfig(NAS_V1), 32, 10, Published(4.2, cifar10_error=5.50, source=f"{_NAS} 1")
    ),
    "nasnet_cifar": _cifar(
        NASNET_A, 18, 32, Published(3.3, None, None, None, 3.41, 2.65, f"{_NASNET} 1")
    ),
    "nasnet_cifar_7_2304": _cifar(
        NASNET_A, 21, 96, Published(27.6, None, None, None, 2.97, 2.40, f"{_NASNET} 1")
    ),
    "nasnet_mobile": _imagenet(
        NASNET_A, 12, 44, Published(5.3, 564, 74.0, 91.6, source=f"{_NASNET} 3")
    ),
    "nasnet_large": _imagenet(
        NASNET_A,
        18,
        168,
        Published(88.9, 23800, 82.7, 96.2, source=f"{_NASNET} 2"),
        image_size=331,
        stem_filters=96,
        skip=True,
    ),
    "nasnet_5_1538": _imagenet(
        NASNET_A,
        15,
        64,
        Published(10.9, 2350, 78.6, 94.2, source=f"{_NASNET} 2"),
        image_size=299,
        reduction="strided_normal",
    ),
    "nasnet_7_1920": _imagenet(
        NASNET_A,
        21,
        80,
        Published(22.6, 4930, 80.8, 95.3, source=f"{_NASNET} 2"),
        image_size=299,
        reduction="strided_normal",
    ),
    "nasnet_b_cifar": _cifar(
        NASNET_B,
        12,
        48,
        Published(2.6, None, None, None, 3.73, None, f"{_NASNET} 1"),
    ),
    "nasnet_b_mobile": _imagenet(
        NASNET_B,
        12,
        64,
        Published(5.3, 488, 72.8, 91.3, source=f"{_NASNET} 3"),
        reduction="replace",
    ),
    "nasnet_c_cifar": _cifar(
        NASNET_C, 12, 32, Published(3.1, None, None, None, 3.59, None, f"{_NASNET} 1")
    ),
    "nasnet_c_mobile": _imagenet(
        NASNET_C,
        9,
        48,
        Published(4.9, 558, 72.5, 91.0, source=f"{_NASNET} 3"),
        reduction="replace",
    ),
    # slim has no CIFAR builder for PNASNet: N = 3, F = 48 from the paper, the stem as NASNet's.
    "pnasnet_cifar": _cifar(
        PNASNET_5,
        9,
        48,
        Published(3.2, None, None, None, 3.41, None, f"{_PNASNET} 3"),
        reduction="strided_normal",
        skip=True,
    ),
    "pnasnet_mobile": _imagenet(
        PNASNET_5,
        9,
        54,
        Published(5.1, 588, 74.2, 91.9, source=f"{_PNASNET} 4"),
        reduction="strided_normal",
        skip=True,
    ),
    "pnasnet_large": _imagenet(
        PNASNET_5,
        12,
        216,
        Published(86.1, 25000, 82.9, 96.2, source=f"{_PNASNET} 5"),
        image_size=331,
        stem_filters=96,
        reduction="strided_normal",
        skip=True,
    ),
    "amoebanet_a_mobile": _imagenet(
        AMOEBANET_A,
        12,
        50,
        Published(5.1, 555, 74.5, 92.0, source=f"{_PNASNET} 4"),
        bottleneck=True,
    ),
    "amoebanet_b_mobile": _imagenet(
        AMOEBANET_B,
        9,
        62,
        Published(5.3, 555, 74.0, 91.5, source=f"{_PNASNET} 4"),
        bottleneck=True,
    ),
    "amoebanet_c_mobile": _imagenet(
        AMOEBANET_C,
        12,
        50,
        Published(6.4, 570, 75.7, 92.4, source=f"{_PNASNET} 4"),
        bottleneck=True,
    ),
    # A stem of 32 filters, as in the mobile ones, gives A's and C's published multiply-adds.
    "amoebanet_a_large": _imagenet(
        AMOEBANET_A,
        18,
        190,
        Published(86.7, 23100, 82.8, 96.1, source=f"{_PNASNET} 5"),
        image_size=331,
        skip=True,
        bottleneck=True,
    ),
    "amoebanet_b_large": _imagenet(
        AMOEBANET_B,
        18,
        190,
        Published(84.0, 22300, 82.3, 96.1, source=f"{_PNASNET} 5"),
        image_size=331,
        skip=True,
        bottleneck=True,
    ),
    "amoebanet_c_large": _imagenet(
        AMOEBANET_C,
        18,
        228,
        Published(155.3, 41100, 83.1, 96.3, source=f"{_PNASNET} 5"),
        image_size=331,
        skip=True,
        bottleneck=True,
    ),
}


def list_models(pattern: str = "*") -> list[str]:
    """Returns the names of the published networks.

    Args:
        pattern: A shell-style pattern, e.g. `"pnasnet*"`.

    Returns:
        The names that match, in the order of the table.
    """
    return fnmatch.filter(PRESETS, pattern)


def get_preset(name: str) -> Preset:
    """Returns a published network by name.

    Args:
        name: A name of `list_models()`.

    Returns:
        Its preset.

    Raises:
        ValueError: No such name; the nearest one is suggested.
    """
    if name not in PRESETS:
        raise ValueError(unknown_name("model", name, PRESETS))
    return PRESETS[name]

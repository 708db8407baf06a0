"""A detector as data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasnet_keras.detection.modeling.anchors import anchor_sizes, anchors_inside
from nasnet_keras.detection.modeling.backbone import plan_split
from nasnet_keras.genotypes import Genotype, get_genotype
from nasnet_keras.layers.network_layer import half
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.feature_sizes import check_input_size
from nasnet_keras.models.presets import get_preset
from nasnet_keras.suggestions import unknown_name

_COUNTS = (
    "classes",
    "anchor_stride",
    "region_filters",
    "region_kernel",
    "region_batch_size",
    "training_proposals",
    "evaluation_proposals",
    "box_batch_size",
    "crop_size",
    "detections_per_class",
    "detections",
)
_SHARES = (
    "region_positive_iou",
    "region_negative_iou",
    "region_positive_fraction",
    "region_nms_iou",
    "crowd_overlap",
    "box_positive_iou",
    "box_positive_fraction",
    "detection_nms_iou",
    "detection_score_threshold",
)
_ABOVE_ZERO = (
    "anchor_base_size",
    "huber_delta",
    "learning_rate",
    "learning_rate_decay_factor",
    "gradient_clip_norm",
)
_NOT_NEGATIVE = (
    "anchor_offset",
    "region_box_weight",
    "region_class_weight",
    "box_weight",
    "class_weight",
    "momentum",
    "seed",
)


@dataclass(frozen=True)
class DetectorConfig:
    """Everything that fixes a detector; the defaults are the papers' for 1200x1200.

    Sources: Zoph et al. 2018, section 4.3; the TF Object Detection API's configuration
    `faster_rcnn_nas_coco`. Boxes are `(y_min, x_min, y_max, x_max)` in pixels.

    Attributes:
        network: The network whose features are used, or the name of a published one. Its drop path
            works in both stages; its dropout, before the second stage's dense layers.
        classes: Classes of objects, the background not counted.
        image_size: `(height, width)` that it is trained for. Images of other sizes are accepted;
            this one is what the anchors are checked against.
        anchor_base_size: Side of the square anchor of scale 1, in pixels.
        anchor_scales: Scales of the base side.
        anchor_aspect_ratios: Width by height.
        anchor_stride: Pixels between anchors; the stride of the network's features.
        anchor_offset: Centre of the first anchor, in pixels.
        box_scales: Factors of the encoded `(y, x, log height, log width)`.
        region_filters: Filters of the region proposal head's convolution.
        region_kernel: Its kernel's side.
        region_positive_iou: IoU with a box from which an anchor is positive.
        region_negative_iou: IoU with every box below which it is negative.
        region_batch_size: Anchors sampled in an image for the loss.
        region_positive_fraction: Largest share of positive ones among them.
        region_nms_iou: IoU above which the proposal of the lower score is dropped.
        training_proposals: Proposals kept in training.
        evaluation_proposals: Proposals kept when detecting.
        propose_ground_truth: Adds the true boxes to the proposals in training, which a network
            trained from scratch learns faster with; the original does not.
        crowd_overlap: Share of an anchor or proposal within a crowd box from which it is no
            negative example.
        box_positive_iou: IoU with a box from which a proposal is positive; below, negative.
        box_batch_size: Proposals sampled in an image for the second stage.
        box_positive_fraction: Largest share of positive ones among them.
        crop_size: Side of the crops of the features, in feature pixels.
        crops_per_chunk: Crops that are in memory at once; the second stage works on one such chunk
            after the other, and in training computes each anew for its gradients. `None`: all.
        detection_nms_iou: IoU above which the detection of the lower score is dropped, class by
            class.
        detection_score_threshold: Score above which a detection counts.
        detections_per_class: Detections kept of a class in an image.
        detections: Detections kept in an image.
        huber_delta: Where the loss of the boxes turns from square to straight.
        region_box_weight: Weight of the first stage's box loss.
        region_class_weight: Weight of its object-or-background loss.
        box_weight: Weight of the second stage's box loss.
        class_weight: Weight of its class loss.
        train_batch_norm: Whether BN of the network learns (statistics of the batch, scale, offset);
            by default it stays as in the classifier.
        learning_rate: Learning rate at the start.
        learning_rate_boundaries: Steps at which it is multiplied by `learning_rate_decay_factor`.
        learning_rate_decay_factor: See there.
        momentum: Momentum of the optimizer.
        gradient_clip_norm: Largest norm of a variable's gradient.
        seed: Seed of the sampling; `None` for a random one.

    Raises:
        ValueError: A value is out of range or two contradict each other.
    """

    network: NetworkConfig
    classes: int = 80
    image_size: tuple[int, int] = (1200, 1200)
    anchor_base_size: float = 256.0
    anchor_scales: tuple[float, ...] = (0.25, 0.5, 1.0, 2.0)
    anchor_aspect_ratios: tuple[float, ...] = (0.5, 1.0, 2.0)
    anchor_stride: int = 16
    anchor_offset: float = 0.0
    box_scales: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)
    region_filters: int = 512
    region_kernel: int = 3
    region_positive_iou: float = 0.7
    region_negative_iou: float = 0.3
    region_batch_size: int = 256
    region_positive_fraction: float = 0.5
    region_nms_iou: float = 0.7
    training_proposals: int = 500
    evaluation_proposals: int = 300
    propose_ground_truth: bool = False
    crowd_overlap: float = 0.5
    box_positive_iou: float = 0.5
    box_batch_size: int = 64
    box_positive_fraction: float = 0.25
    crop_size: int = 17
    crops_per_chunk: int | None = 16
    detection_nms_iou: float = 0.6
    detection_score_threshold: float = 0.0
    detections_per_class: int = 100
    detections: int = 100
    huber_delta: float = 1.0
    region_box_weight: float = 2.0
    region_class_weight: float = 1.0
    box_weight: float = 2.0
    class_weight: float = 1.0
    train_batch_norm: bool = False
    learning_rate: float = 3e-4
    learning_rate_boundaries: tuple[int, ...] = (900_000, 1_200_000)
    learning_rate_decay_factor: float = 0.1
    momentum: float = 0.9
    gradient_clip_norm: float = 10.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.network, str):
            object.__setattr__(self, "network", get_preset(self.network).config)
        if not isinstance(self.network, NetworkConfig):
            raise ValueError(f"network is a NetworkConfig or a name, got {self.network!r}")
        for field in dataclasses.fields(self):
            if isinstance(getattr(self, field.name), list):
                object.__setattr__(self, field.name, tuple(getattr(self, field.name)))
        self._check_ranges()
        self._check_anchors()
        self._check_proposals()
        self._check_crops()

    def _check_ranges(self) -> None:
        for name in ("train_batch_norm", "propose_ground_truth"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} is true or false, got {getattr(self, name)!r}")
        for name in _COUNTS:
            if not _is_whole(getattr(self, name), 1):
                raise ValueError(
                    f"{name} is a whole number of at least 1, got {getattr(self, name)!r}"
                )
        if self.crops_per_chunk is not None and not _is_whole(self.crops_per_chunk, 1):
            raise ValueError(
                "crops_per_chunk is a whole number of at least 1, or None for all at once, got "
                f"{self.crops_per_chunk!r}"
            )
        for name in _SHARES:
            if not _is_number(getattr(self, name)) or not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is in [0, 1], got {getattr(self, name)!r}")
        for name in _ABOVE_ZERO:
            if not _is_number(getattr(self, name)) or getattr(self, name) <= 0:
                raise ValueError(f"{name} is a number above 0, got {getattr(self, name)!r}")
        for name in _NOT_NEGATIVE:
            value = getattr(self, name)
            if not (name == "seed" and value is None) and (not _is_number(value) or value < 0):
                raise ValueError(f"{name} is a number of at least 0, got {value!r}")
        if len(self.box_scales) != 4 or not all(_is_number(x) and x > 0 for x in self.box_scales):
            raise ValueError(f"box_scales is four numbers above 0, got {self.box_scales!r}")
        if self.region_negative_iou > self.region_positive_iou:
            raise ValueError(
                f"region_negative_iou={self.region_negative_iou} is above "
                f"region_positive_iou={self.region_positive_iou}: an anchor would be both"
            )
        boundaries = self.learning_rate_boundaries
        if list(boundaries) != sorted(set(boundaries)) or not all(
            _is_whole(x, 1) for x in boundaries
        ):
            raise ValueError(f"learning_rate_boundaries is rising steps, got {boundaries!r}")

    def _check_anchors(self) -> None:
        for name in ("anchor_scales", "anchor_aspect_ratios"):
            values = getattr(self, name)
            if not values or not all(_is_number(x) and x > 0 for x in values):
                raise ValueError(f"{name} is one or more numbers above 0, got {values!r}")
        if len(self.image_size) != 2 or not all(_is_whole(x, 1) for x in self.image_size):
            raise ValueError(f"image_size is (height, width) in pixels, got {self.image_size!r}")
        check_input_size(self.network, (*self.image_size, 3))
        stride = plan_split(self.network).stride
        if self.anchor_stride != stride:
            raise ValueError(
                f"anchor_stride={self.anchor_stride}, but the network's features have stride "
                f"{stride}"
            )
        sizes = self.anchor_sizes()
        if not anchors_inside(sizes, self.image_size, stride, self.anchor_offset):
            smallest = min(sizes, key=lambda size: size[0] * size[1])
            raise ValueError(
                f"no anchor lies within an image of {self.image_size[0]}x{self.image_size[1]} "
                f"pixels (the smallest has {smallest[0]:.0f}x{smallest[1]:.0f}), and training "
                "leaves out the others: lower anchor_base_size or anchor_scales"
            )

    def _check_proposals(self) -> None:
        if self.training_proposals < self.box_batch_size:
            raise ValueError(
                f"training_proposals={self.training_proposals} is below the second stage's "
                f"box_batch_size={self.box_batch_size}, which is sampled from them"
            )
        most = self.classes * self.detections_per_class
        if self.detections > most:
            raise ValueError(
                f"detections={self.detections} is above the {most} that {self.classes} classes of "
                f"detections_per_class={self.detections_per_class} can give"
            )

    def _check_crops(self) -> None:
        side: int | None = self.crop_size
        for cell in plan_split(self.network).second:
            if cell.strides == 2 and (side or 0) < 2:
                raise ValueError(
                    f"crop_size={self.crop_size} is too small: {cell.name} has {side} of the 2 "
                    "pixels a side that it takes to halve"
                )
            side = half(side, cell.strides)

    def anchor_sizes(self) -> list[tuple[float, float]]:
        """Returns `(height, width)` of the anchors of one position, in pixels."""
        return anchor_sizes(self.anchor_base_size, self.anchor_scales, self.anchor_aspect_ratios)

    def replace(self, **overrides: Any) -> DetectorConfig:
        """Returns a copy with some values replaced.

        Raises:
            ValueError: A name is no field; the nearest one is suggested. Or a value is illegal.
        """
        fields = [field.name for field in dataclasses.fields(self)]
        for name in overrides:
            if name not in fields:
                raise ValueError(unknown_name("detector setting", name, fields))
        return dataclasses.replace(self, **overrides)

    def to_dict(self) -> dict[str, Any]:
        """Returns it as JSON can hold it."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        values = {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
        network = {f.name: getattr(self.network, f.name) for f in dataclasses.fields(self.network)}
        values["network"] = {**network, "genotype": self.network.genotype.to_dict()}
        return values

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DetectorConfig:
        """Reads what `to_dict` returned.

        Raises:
            ValueError: A name is unknown, a value is illegal, or the network is missing.
        """
        values = dict(data)
        network = values.pop("network", None)
        if isinstance(network, Mapping):
            genotype = network.get("genotype")
            if isinstance(genotype, Mapping):
                genotype = Genotype.from_dict(genotype)
            network = NetworkConfig(get_genotype("nasnet_a")).replace(
                **{**network, "genotype": genotype}
            )
        if network is None:
            raise ValueError("a detector's configuration names its network")
        return cls(network).replace(**values)


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)

"""A detector as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from nasnet_keras.detection.modeling.anchors import anchor_sizes, anchors_inside
from nasnet_keras.detection.modeling.backbone import plan_split
from nasnet_keras.layers.network_layer import half
from nasnet_keras.models.config import NetworkConfig
from nasnet_keras.models.feature_sizes import check_input_size
from nasnet_keras.models.preset_config import cell_config
from nasnet_keras.settings import (
    MOST_SIDE,
    Count,
    Fraction,
    NonNegative,
    NonNegativeInt,
    Positive,
    Settings,
)

_BoxScales = tuple[Positive, Positive, Positive, Positive]
MOVED_TO_TRAINING = (
    "learning_rate",
    "learning_rate_boundaries",
    "learning_rate_decay_factor",
    "momentum",
    "gradient_clip_norm",
    "seed",
)
"""What files of earlier versions have among a detector's settings; it is its training's."""


@dataclass(frozen=True)
class DetectorConfig(Settings):
    """Everything that fixes a detector; the defaults are the papers' for 1200x1200.

    Sources: Zoph et al. 2018, section 4.3; the TF Object Detection API's configuration
    `faster_rcnn_nas_coco`. Boxes are `(y_min, x_min, y_max, x_max)` in pixels.

    Attributes:
        network: The network whose features are used, or the name of a published one. Its drop path
            works in both stages, its dropout before the second stage's dense layers.
        classes: Classes of objects, the background not counted.
        image_size: `(height, width)` that it is trained for. Images of other sizes are accepted;
            this one is what the anchors are checked against.
        anchor_base_size: Side of the square anchor of scale 1, in pixels.
        anchor_scales: Scales of the base side.
        anchor_aspect_ratios: Width by height.
        anchor_stride: Pixels between anchors; the stride of the network's features.
        anchor_offset: Centre of the first anchor, in pixels.
        box_scales: Factors of the encoded `(y, x, log height, log width)`.
        region_filters: Filters of the RPN head's convolution.
        region_kernel: Its kernel's side.
        region_positive_iou: IoU with a box from which an anchor is positive.
        region_negative_iou: IoU with every box below which it is negative.
        region_batch_size: Anchors sampled in an image for the loss.
        region_positive_fraction: Largest fraction of positive ones among them.
        region_nms_iou: IoU above which the proposal of the lower score is dropped.
        training_proposals: Proposals kept in training.
        evaluation_proposals: Proposals kept when detecting.
        propose_ground_truth: Adds the true boxes to the proposals in training, which a network
            trained from scratch learns faster with; the original does not.
        crowd_overlap: Fraction of an anchor's or proposal's area within a crowd box from which
            it is ignored and not a negative example.
        box_positive_iou: IoU with a box from which a proposal is positive; below, negative.
        box_batch_size: Proposals sampled in an image for the second stage.
        box_positive_fraction: Largest fraction of positive ones among them.
        crop_size: Side of a proposal's aligned features, in feature pixels.
        crops_per_chunk: Proposals in memory at once when detecting, see `roi_features`; `None`:
            all.
        training_crops_per_chunk: The same in training. Those of an image at once, as the original
            has them, are computed once, not a second time for the gradients.
        detection_nms_iou: IoU above which the detection of the lower score is dropped, class by
            class.
        detection_score_threshold: Score above which a detection is kept.
        detections_per_class: Detections kept of a class in an image.
        detections: Detections kept in an image.
        huber_delta: Where the loss of the boxes turns from quadratic to linear.
        region_box_weight: Weight of the RPN's box loss.
        region_class_weight: Weight of its object-or-background loss.
        box_weight: Weight of the second stage's box loss.
        class_weight: Weight of its class loss.
        train_batch_norm: Whether BN of the network learns (statistics of the batch, scale, offset);
            by default it stays as in the classifier.
        unused_classes: Classes that stand for nothing, and are never detected: the original's
            detectors have a class for each id up to COCO's largest.

    Raises:
        ValueError: A value is out of range or two contradict each other.
    """

    _field_kind = "detector setting"
    _most: ClassVar[dict[str, int]] = {
        "image_size": MOST_SIDE,
        "classes": 100_000,
        "region_filters": 8_192,
        "region_kernel": 99,
        "crop_size": 999,
        "region_batch_size": 1_000_000,
        "box_batch_size": 100_000,
        "training_proposals": 100_000,
        "evaluation_proposals": 100_000,
        "detections_per_class": 100_000,
        "detections": 100_000,
    }

    network: NetworkConfig
    classes: Count = 80
    image_size: tuple[Count, Count] = (1200, 1200)
    anchor_base_size: Positive = 256.0
    anchor_scales: tuple[Positive, ...] = (0.25, 0.5, 1.0, 2.0)
    anchor_aspect_ratios: tuple[Positive, ...] = (0.5, 1.0, 2.0)
    anchor_stride: Count = 16
    anchor_offset: NonNegative = 0.0
    box_scales: _BoxScales = (10.0, 10.0, 5.0, 5.0)
    region_filters: Count = 512
    region_kernel: Count = 3
    region_positive_iou: Fraction = 0.7
    region_negative_iou: Fraction = 0.3
    region_batch_size: Count = 256
    region_positive_fraction: Fraction = 0.5
    region_nms_iou: Fraction = 0.7
    training_proposals: Count = 500
    evaluation_proposals: Count = 300
    propose_ground_truth: bool = False
    crowd_overlap: Fraction = 0.5
    box_positive_iou: Fraction = 0.5
    box_batch_size: Count = 64
    box_positive_fraction: Fraction = 0.25
    crop_size: Count = 17
    crops_per_chunk: Count | None = 16
    training_crops_per_chunk: Count | None = 64
    detection_nms_iou: Fraction = 0.6
    detection_score_threshold: Fraction = 0.0
    detections_per_class: Count = 100
    detections: Count = 100
    huber_delta: Positive = 1.0
    region_box_weight: NonNegative = 2.0
    region_class_weight: NonNegative = 1.0
    box_weight: NonNegative = 2.0
    class_weight: NonNegative = 1.0
    train_batch_norm: bool = False
    unused_classes: tuple[NonNegativeInt, ...] = ()

    def __post_init__(self) -> None:
        if isinstance(self.network, str):
            object.__setattr__(self, "network", cell_config(self.network))
        super().__post_init__()
        if self.region_negative_iou > self.region_positive_iou:
            raise ValueError(
                f"region_negative_iou={self.region_negative_iou} is above "
                f"region_positive_iou={self.region_positive_iou}: an anchor would be both"
            )
        wrong = [each for each in self.unused_classes if each >= self.classes]
        if wrong:
            raise ValueError(f"unused_classes has {wrong[0]}, but classes={self.classes}")
        self._check_anchors()
        self._check_proposals()
        self._check_crops()

    def _check_anchors(self) -> None:
        for name in ("anchor_scales", "anchor_aspect_ratios"):
            if not getattr(self, name):
                raise ValueError(f"{name} is one or more numbers above 0, got none")
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

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> DetectorConfig:
        """Reads what `to_dict` returned, in this version or an earlier one.

        Raises:
            ValueError: A name is unknown, a value is invalid, or the network is missing.
        """
        if not isinstance(data, Mapping):
            return super().from_dict(data)
        kept = {k: v for k, v in data.items() if k not in MOVED_TO_TRAINING}
        if kept.get("train_batch_norm") and "crops_per_chunk" in kept:
            # Earlier versions had one field for both, and a chunk is what BN learns from.
            kept.setdefault("training_crops_per_chunk", kept["crops_per_chunk"])
        return super().from_dict(kept)

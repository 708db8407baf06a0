"""The detector: Faster R-CNN on the features of a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import ops

from nasnet_keras.detection.modeling.anchors import make_anchors
from nasnet_keras.detection.modeling.backbone import build_backbone
from nasnet_keras.detection.modeling.batch import (
    BOXES,
    IMAGES,
    LABELS,
    SIZES,
    GroundTruth,
    ground_truth,
    images_and_sizes,
)
from nasnet_keras.detection.modeling.box_coder import encode_boxes
from nasnet_keras.detection.modeling.box_head import BoxHead
from nasnet_keras.detection.modeling.boxes import clip_boxes, lie_inside
from nasnet_keras.detection.modeling.config import DetectorConfig
from nasnet_keras.detection.modeling.losses import box_loss, class_loss
from nasnet_keras.detection.modeling.matcher import IGNORED, NEGATIVE, match_boxes
from nasnet_keras.detection.modeling.nms import Suppression, non_max_suppression
from nasnet_keras.detection.modeling.post_processing import decode_detections, select_detections
from nasnet_keras.detection.modeling.proposals import propose_boxes
from nasnet_keras.detection.modeling.roi_features import roi_features
from nasnet_keras.detection.modeling.rpn_head import RPNHead
from nasnet_keras.detection.modeling.sampler import sample_balanced
from nasnet_keras.layers import BatchNormalization
from nasnet_keras.layers.initializer import PACKAGE
from nasnet_keras.replica_seeds import ReplicaSeedGenerator

# `fit` under every distribution, as the classifier's; not its class, whose bases Keras changes once
# a functional model is made.
_Training: Any = type("_Training", (), {})
if keras.backend.backend() == "tensorflow":
    from nasnet_keras.training.step.tensorflow_network import TensorFlowTraining as _Training

RPN_BOX_LOSS = "region_box_loss"
RPN_CLASS_LOSS = "region_class_loss"
BOX_LOSS = "box_loss"
CLASS_LOSS = "class_loss"
LOSSES = (RPN_BOX_LOSS, RPN_CLASS_LOSS, BOX_LOSS, CLASS_LOSS)


@keras.saving.register_keras_serializable(PACKAGE)
class FasterRCNN(_Training, keras.Model):
    """Finds objects: an RPN on the network's features proposes boxes, its last cells classify each.

    Sources: Ren et al. 2015; Zoph et al. 2018, section 4.3; the TF Object Detection API's
    `faster_rcnn_meta_arch` and `faster_rcnn_nas_feature_extractor`.

    It takes batches that are one dictionary, for `fit` and `evaluate` without targets beside it:

    - `"images"`: `(batch, height, width, 3)`, pixels in [0, 255], any type; smaller ones padded
      with 0 at the bottom and the right.
    - `"image_sizes"`: `(batch, 2)`, height and width without the padding; without it there is none.
    - `"boxes"`: `(batch, n, 4)`, `(y_min, x_min, y_max, x_max)` in pixels of the padded image, n at
      least 1.
    - `"labels"`: `(batch, n)`, integers in [0, classes), -1 for padding.
    - `"crowd"`: `(batch, n)`, 1 or true for regions of many objects, which training ignores;
      without it there are none.

    A batch with boxes gives the four losses, of each image (`fit`, `evaluate`). One without, and
    every batch in `predict`, gives the detections, see `select_detections`. The metrics
    `region_box_loss`, `region_class_loss` (the RPN's), `box_loss` and `class_loss` are the losses
    before they are weighted and added up to `loss`.

    Weights of a classifier go into `detector.network`, which both stages share:
    `load_pretrained(detector.network, "nasnet_mobile", path, include_top=False)`.

    Args:
        config: The detector, or its `to_dict()`.
        precision: Name of a Keras dtype policy for the cells and the RPN's convolution, e.g.
            `"mixed_bfloat16"`. Boxes, scores, losses, BN's statistics and the outputs of both heads
            are computed in float32 in any case. Default: Keras's setting.
        seed: Seed of the sampling of anchors and proposals. Default: a random one.
        **kwargs: Keras's own (`name`, `trainable`).

    Raises:
        ValueError: The configuration is invalid, or a batch is not as above.
    """

    def __init__(
        self,
        config: DetectorConfig | Mapping[str, Any],
        precision: str | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        # Images and boxes must not be rounded to half precision on their way in.
        super().__init__(**{**kwargs, "dtype": "float32"})
        if not isinstance(config, DetectorConfig):
            config = DetectorConfig.from_dict(config)
        self.config = config
        before = keras.config.dtype_policy()
        policy = keras.dtype_policies.get(precision or before)
        self.precision = policy.name
        keras.config.set_dtype_policy(policy)
        try:
            self.backbone = build_backbone(config.network, "backbone")
        finally:
            keras.config.set_dtype_policy(before)
        self.network = self.backbone.network
        self.region_head = RPNHead(
            len(config.anchor_sizes()),
            config.region_filters,
            config.region_kernel,
            dtype=policy,
            name="region_head",
        )
        self.region_head.build((None, None, None, self.backbone.channels))
        self.box_head = BoxHead(
            config.classes, config.network.dropout, dtype="float32", name="box_head"
        )
        self.box_head.build((None, None, self.backbone.second_stage.output_channels))
        self.seed_generator = ReplicaSeedGenerator(seed)
        self.loss_trackers = [keras.metrics.Mean(name=name) for name in LOSSES]
        for layer in self.network._flatten_layers():
            if isinstance(layer, BatchNormalization):
                layer.trainable = config.train_batch_norm
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {"name": self.name, "config": self.config.to_dict(), "precision": self.precision}

    # Keras saves no generator's state by itself; resuming must not repeat the samples.

    def save_own_variables(self, store: Any) -> None:
        store["seed"] = self.seed_generator.state

    def load_own_variables(self, store: Any) -> None:
        self.seed_generator.state.assign(store["seed"])

    def build(self, input_shape: Any = None) -> None:
        self.built = True

    def call(self, inputs: Mapping[str, Any], training: bool | None = None) -> dict[str, Any]:
        images, sizes = images_and_sizes(inputs)
        training = bool(training)
        if BOXES not in inputs:
            if training:
                raise ValueError(f"a batch to train on needs {BOXES!r} and {LABELS!r}")
            return self.detect(images, sizes)
        truth = ground_truth(inputs, self.config.classes)
        losses = self._learn(images, sizes, truth, training=training)
        weights = self.loss_weights()
        self.add_loss(sum(weights[name] * ops.mean(losses[name]) for name in LOSSES))
        return losses

    def loss_weights(self) -> dict[str, float]:
        """Returns the factors of the four losses in their sum."""
        c = self.config
        weights = (c.region_box_weight, c.region_class_weight, c.box_weight, c.class_weight)
        return dict(zip(LOSSES, weights, strict=True))

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        if RPN_BOX_LOSS not in y_pred:
            raise ValueError(f"a batch to train on or to evaluate needs {BOXES!r} and {LABELS!r}")
        for tracker in self.loss_trackers:
            tracker.update_state(y_pred[tracker.name])
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def _symbolic_batch(self) -> Any:
        # Everything is built already, and the loss metrics need no targets.
        return {}, None

    def predict_step(self, *arguments: Any) -> Any:
        # On JAX the model's state comes before the batch.
        *state, data = arguments
        x, _, _ = keras.utils.unpack_x_y_sample_weight(data)
        x = {name: x[name] for name in (IMAGES, SIZES) if name in x}
        return super().predict_step(*state, (x,))

    # The two ways through the model.

    def detect(
        self, images: Any, sizes: Any, suppress: Suppression = non_max_suppression
    ) -> dict[str, Any]:
        """Finds objects; what calling the model does with a batch without boxes.

        Args:
            images: `(batch, height, width, 3)`, float32, pixels in [0, 255].
            sizes: `(batch, 2)`, float32: height and width without the padding.
            suppress: The NMS of proposals and of detections; exports use another one.

        Returns:
            See `select_detections`; scores are NaN where a head's output is not finite.
        """
        c = self.config
        features, step, encodings, logits, anchors = self._first_stage(images, training=False)
        proposals, _, is_valid = propose_boxes(
            encodings,
            logits,
            clip_boxes(anchors, sizes),
            sizes,
            c.evaluation_proposals,
            c.region_nms_iou,
            c.box_scales,
            suppress=suppress,
        )
        # NMS passes over what is no number: without this, an overflow would be "no object".
        answered = [encodings, logits]
        encodings, logits = self._second_stage(images, features, step, proposals, training=False)
        answered += [encodings, logits]
        boxes, scores = decode_detections(encodings, logits, proposals, is_valid, c.box_scales)
        if c.unused_classes:
            is_used = np.isin(np.arange(c.classes), c.unused_classes, invert=True)
            scores = ops.where(is_used, scores, -1.0)
        found = select_detections(
            boxes,
            scores,
            sizes,
            c.detection_nms_iou,
            c.detection_score_threshold,
            c.detections_per_class,
            c.detections,
            suppress,
        )
        found["scores"] = found["scores"] + _nan_where_not_finite(answered)[:, None]
        return found

    def _learn(self, images: Any, sizes: Any, truth: GroundTruth, training: bool) -> dict[str, Any]:
        c = self.config
        features, step, encodings, logits, anchors = self._first_stage(images, training=training)
        indices, matches, sampled = self._sample_anchors(anchors, sizes, truth)
        positive = ops.logical_and(sampled, matches >= 0)
        targets = encode_boxes(
            _take(truth.boxes, ops.maximum(matches, 0)),
            ops.take(anchors, indices, axis=0),
            c.box_scales,
        )
        losses = {
            RPN_BOX_LOSS: box_loss(
                _take(encodings, indices), targets, positive, sampled, c.huber_delta
            ),
            RPN_CLASS_LOSS: class_loss(
                _take(logits, indices), ops.cast(positive, "int32"), sampled
            ),
        }
        proposals, matches, sampled = self._sample_proposals(
            encodings, logits, anchors, sizes, truth
        )
        positive = ops.logical_and(sampled, matches >= 0)
        matches = ops.maximum(matches, 0)
        classes = ops.where(positive, _take(truth.labels, matches), 0)
        targets = encode_boxes(_take(truth.boxes, matches), proposals, c.box_scales)
        encodings, logits = self._second_stage(images, features, step, proposals, training=training)
        of_class = ops.take_along_axis(encodings, classes[..., None, None], axis=2)[:, :, 0]
        losses[BOX_LOSS] = box_loss(of_class, targets, positive, sampled, c.huber_delta)
        losses[CLASS_LOSS] = class_loss(logits, ops.where(positive, classes + 1, 0), sampled)
        return losses

    def training_samples(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """Samples anchors and proposals of a batch as a training step does.

        Args:
            inputs: A batch with boxes, see the class.

        Returns:
            `"anchors"` and `"proposals"`: `(batch, n, 4)` in pixels of the images;
            `"anchor_matches"` and `"proposal_matches"`: `(batch, n)`, int32, the index of the
            box that each is matched with, -1 for background, -2 for empty places.
        """
        images, sizes = images_and_sizes(inputs)
        truth = ground_truth(inputs, self.config.classes)
        _, _, encodings, logits, anchors = self._first_stage(images, training=False)
        indices, matches, sampled = self._sample_anchors(anchors, sizes, truth)
        proposals, proposal_matches, proposals_sampled = self._sample_proposals(
            encodings, logits, anchors, sizes, truth
        )
        return {
            "anchors": ops.take(anchors, indices, axis=0),
            "anchor_matches": ops.where(sampled, matches, IGNORED),
            "proposals": proposals,
            "proposal_matches": ops.where(proposals_sampled, proposal_matches, IGNORED),
        }

    def _sample_anchors(self, anchors: Any, sizes: Any, truth: GroundTruth) -> tuple[Any, Any, Any]:
        """Returns the indices of the sampled anchors, their matches, and which are real."""
        c = self.config
        matches = match_boxes(
            anchors,
            *(truth.boxes, truth.is_object, truth.is_crowd),
            positive_iou=c.region_positive_iou,
            negative_iou=c.region_negative_iou,
            force_best=True,
            crowd_overlap=c.crowd_overlap,
            allowed=lie_inside(anchors, sizes),
        )
        return self._sample(matches, c.region_batch_size, c.region_positive_fraction)

    def _sample_proposals(
        self, encodings: Any, logits: Any, anchors: Any, sizes: Any, truth: GroundTruth
    ) -> tuple[Any, Any, Any]:
        """Returns the sampled proposals, their matches, and which are real."""
        c = self.config
        proposals, _, is_valid = propose_boxes(
            encodings,
            logits,
            anchors,
            sizes,
            c.training_proposals,
            c.region_nms_iou,
            c.box_scales,
            lie_inside(anchors, sizes),
        )
        if c.propose_ground_truth:
            proposals = ops.concatenate([proposals, truth.boxes], axis=1)
            is_valid = ops.concatenate([is_valid, truth.is_object], axis=1)
        matches = match_boxes(
            proposals,
            *(truth.boxes, truth.is_object, truth.is_crowd),
            positive_iou=c.box_positive_iou,
            negative_iou=c.box_positive_iou,
            force_best=False,
            crowd_overlap=c.crowd_overlap,
            allowed=is_valid,
        )
        indices, matches, sampled = self._sample(matches, c.box_batch_size, c.box_positive_fraction)
        return _take(proposals, indices), matches, sampled

    def _first_stage(self, images: Any, *, training: bool) -> tuple[Any, Any, Any, Any, Any]:
        """Returns features, drop path's step, the RPN head's two outputs, and anchors."""
        c = self.config
        outputs = self.backbone.first_stage(images * (2.0 / 255.0) - 1.0, training=training)
        features, step = outputs if isinstance(outputs, list) else (outputs, None)
        encodings, logits = self.region_head(features)
        _, height, width, _ = ops.shape(features)
        anchors = make_anchors(c.anchor_sizes(), height, width, c.anchor_stride, c.anchor_offset)
        return features, step, encodings, logits, anchors

    def _second_stage(
        self, images: Any, features: Any, step: Any, proposals: Any, *, training: bool
    ) -> tuple[Any, Any]:
        """Returns the box head's two outputs for proposals in pixels."""
        c = self.config
        height, width = (ops.cast(side, "float32") for side in ops.shape(images)[1:3])
        values = roi_features(
            self.backbone.second_stage,
            features,
            ops.stop_gradient(proposals) / ops.stack([height, width, height, width]),
            c.crop_size,
            c.training_crops_per_chunk if training else c.crops_per_chunk,
            step,
            training,
        )
        return self.box_head(values, training=training)

    def _sample(self, matches: Any, size: int, positive_fraction: float) -> tuple[Any, Any, Any]:
        """Returns the indices of the sampled candidates, their matches, and which are real."""
        noise = keras.random.uniform(ops.shape(matches), seed=self.seed_generator, dtype="float32")
        indices, sampled = sample_balanced(
            matches >= 0, matches == NEGATIVE, noise, size, positive_fraction
        )
        return indices, _take(matches, indices), sampled


def _take(values: Any, indices: Any) -> Any:
    """Returns the entries of each image at its indices: `(batch, N, ...)` to `(batch, n, ...)`."""
    if len(values.shape) > 2:
        indices = indices[..., None]
    return ops.take_along_axis(values, indices, axis=1)


def _nan_where_not_finite(outputs: list[Any]) -> Any:
    """Returns 0 for each image of a batch, NaN for those of which an output is not finite."""
    return sum(ops.sum(x * 0.0, axis=tuple(range(1, len(x.shape)))) for x in outputs)

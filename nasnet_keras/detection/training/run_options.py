"""How a detector's run is carried out, where that does not change what is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nasnet_keras.training.run_options import CommonRunOptions


@dataclass(frozen=True)
class DetectorRunOptions(CommonRunOptions):
    """Flags of `object_detection/train.py` that may change when a run is continued.

    Attributes:
        distribution: none; mirrored: all accelerators of this machine; multiworker: the machines of
            TF_CONFIG.
        jit_compile: Compile the step with XLA, or not; unset: on JAX only.
        checkpoint_path: Weights to start from: a classifier of the same network (a run, .keras,
            .weights.h5, .h5, slim checkpoint, or 'imagenet'), or a detector (a run, .keras, one of
            the TF Object Detection API, or a published one, e.g. coco:nasnet_large_1200).
        drop_invalid: Decode all images, and go on without those and the boxes that are wrong.

    Raises:
        ValueError: A value is out of range or unknown.
    """

    distribution: Literal["none", "mirrored", "multiworker"] = "none"
    checkpoint_path: str | None = None

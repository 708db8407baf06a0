"""The flags that load a detector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from nasnet_keras.settings import Count, Settings


@dataclass(frozen=True, kw_only=True)
class DetectorFlags(Settings):
    """A detector, and how it looks at images.

    Attributes:
        checkpoint_path: A detector's run directory or a .keras file; a published one, e.g.
            coco:nasnet_large_1200_lowproposals; or an original one: archive, its directory,
            checkpoint or frozen graph.
        config: Name of the configuration that an original detector is of, or a JSON file with one.
            Default: told by the name of a published archive or its directory.
        class_names: Names of the classes with commas between, or a file with one a line. Default:
            the run's.
        keep_aspect: Pad images instead of stretching them. Default: as in training.
        exif_orientation: Turn photographs upright, as their EXIF orientation says. Default: as in
            training.
        evaluation_proposals: Proposals in an image. Default: the detector's.
    """

    checkpoint_path: str
    config: str | None = None
    class_names: str | None = None
    keep_aspect: bool | None = None
    exif_orientation: bool | None = None
    evaluation_proposals: Count | None = None

    def load(self) -> Any:
        """Returns the `TrainedDetector`."""
        from nasnet_keras.detection.data.class_names import read_class_names
        from nasnet_keras.detection.inference import trained_detector as detector

        names = read_class_names(self.class_names) if self.class_names else None
        return detector.load_trained_detector(
            self.checkpoint_path,
            names,
            self.keep_aspect,
            self.evaluation_proposals,
            self.exif_orientation,
            self.config,
        )

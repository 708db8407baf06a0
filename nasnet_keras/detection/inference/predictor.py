"""What a detector finds in a picture of any size."""

from __future__ import annotations

import keras
import numpy as np

from nasnet_keras.detection.inference.pictures import (
    Picture,
    PictureDetections,
    as_detections,
    fitted_image,
    read_pixels,
)
from nasnet_keras.detection.inference.trained_detector import TrainedDetector
from nasnet_keras.detection.modeling.batch import IMAGES, SIZES
from nasnet_keras.out_of_memory import memory_for


class Predictor:
    """Finds objects in pictures, one at a time.

    A picture is resized as the detector's images were in training, and the boxes come back in the
    picture's own pixels.

    Args:
        served: The detector.
        min_score: Detections below it are left out.

    Raises:
        ValueError: `min_score` is not in [0, 1].
    """

    def __init__(self, served: TrainedDetector, min_score: float = 0.3) -> None:
        if not 0 <= min_score <= 1:
            raise ValueError(f"min_score is in [0, 1], got {min_score}")
        self.served = served
        self.min_score = min_score
        # On TensorFlow, XLA takes minutes to compile a large network.
        served.model.compile(jit_compile=keras.backend.backend() == "jax")

    def predict(self, picture: Picture) -> PictureDetections:
        """Finds the objects in a picture.

        Args:
            picture: A file or an encoded image, turned upright unless the detector's
                `exif_orientation` is false; a Pillow image, as it is; or pixels
                `(height, width, 3)` in [0, 255].

        Returns:
            What was found.

        Raises:
            OSError: The file cannot be read.
            ValueError: It is not an image, or the array has another shape; or a detection is not
                finite.
        """
        served = self.served
        pixels = read_pixels(picture, served.exif_orientation)
        image, size, scale = fitted_image(pixels, served.image_size, served.keep_aspect)
        found = self.detect(image[np.newaxis], np.asarray([size], "float32"))
        first = {name: values[0] for name, values in found.items()}
        return as_detections(served, first, pixels.shape[:2], scale, self.min_score)

    def detect(self, images: np.ndarray, image_sizes: np.ndarray) -> dict[str, np.ndarray]:
        """Finds the objects in images as the detector takes them.

        Args:
            images: `(batch, height, width, 3)`, float32 in [0, 255].
            image_sizes: `(batch, 2)`, float32: height and width without padding.

        Returns:
            See `select_detections`.

        Raises:
            ValueError: A detection is not finite.
        """
        with memory_for(image_size=images.shape[1:3]):
            found = self.served.model.predict_on_batch({IMAGES: images, SIZES: image_sizes})
        found = {name: np.asarray(values) for name, values in found.items()}
        if not all(np.isfinite(found[name]).all() for name in ("boxes", "scores")):
            raise ValueError("the detector answers with numbers that are not finite")
        return found

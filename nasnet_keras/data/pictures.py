"""Pictures of any origin as pixels, on every backend."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def decode_image(image_bytes: bytes) -> np.ndarray:
    """Decodes a PNG, a JPEG or another image that Pillow reads.

    Returns:
        `(height, width, 3)`, uint8.

    Raises:
        ValueError: The bytes are no image, or a truncated one.
    """
    try:
        with Image.open(io.BytesIO(image_bytes)) as image:
            if image.mode.startswith("I"):
                # Pillow cuts 16 bits off at 255; the high byte is what TensorFlow keeps.
                high = np.asarray(image).astype("int64") >> 8
                return np.repeat(high.clip(0, 255).astype("uint8")[..., None], 3, axis=-1)
            return np.asarray(image.convert("RGB"))
    # Pillow raises SyntaxError, too, on some damaged PNGs.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = (
            "no image format known" if isinstance(error, Image.UnidentifiedImageError) else error
        )
        raise ValueError(f"not a readable image: {reason}") from None

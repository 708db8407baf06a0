"""The one reader of images: the formats, and which decoder reads which.

Pillow is the reference: `decode_image`. Inside a graph TensorFlow decodes what it decodes to the
same pixels, see `same_in_tensorflow`; the rest goes to Pillow in a stream (`decode_tensor`) and is
refused by a SavedModel, which has no Python (`nasnet_keras.data.served_images`). What is turned
upright, and how, is in `nasnet_keras.data.exif`.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, _imaging

from nasnet_keras.data.exif import (
    UPRIGHT,
    image_orientation,
    may_have_exif,
    turned,
    turned_back,
    turned_shape,
)


@dataclass(frozen=True)
class ImageFormat:
    """A format of image files.

    Attributes:
        name: Its name; Pillow's is the same in capitals.
        suffixes: Suffixes of its files.
        signatures: First bytes of its files.
    """

    name: str
    suffixes: tuple[str, ...]
    signatures: tuple[bytes, ...]


FORMATS = (
    ImageFormat("JPEG", (".jpg", ".jpeg"), (b"\xff\xd8\xff",)),
    ImageFormat("PNG", (".png",), (b"\x89PNG\r\n\x1a\n",)),
    ImageFormat("BMP", (".bmp",), (b"BM",)),
    ImageFormat("GIF", (".gif",), (b"GIF87a", b"GIF89a")),
    ImageFormat("WebP", (".webp",), (b"RIFF",)),
    ImageFormat("TIFF", (".tif", ".tiff"), (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    ImageFormat("JPEG2000", (".jp2",), (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")),
    ImageFormat("PPM", (".ppm", ".pgm", ".pbm"), tuple(b"P%d" % kind for kind in range(1, 7))),
    ImageFormat("ICO", (".ico",), (b"\0\0\1\0",)),
)
FORMAT_NAMES = ", ".join(known.name for known in FORMATS)
SUFFIXES = tuple(suffix for known in FORMATS for suffix in known.suffixes)
_TIFF_WIDTH, _TIFF_HEIGHT = 256, 257


def open_image(file: BinaryIO) -> Image.Image:
    """Opens an image of one of `FORMATS` and reads its header; of an animation, the first frame.

    Raises:
        OSError, SyntaxError, ValueError, Image.DecompressionBombError: Not an image, or damaged.
    """
    return Image.open(file, formats=[known.name.upper() for known in FORMATS])


def stored_size(image: Image.Image) -> tuple[int, int]:
    """Returns the height and width of an image as stored."""
    if hasattr(image, "tag_v2"):
        # Pillow turns TIFFs by itself, some versions the size too.
        tags = image.tag_v2  # type: ignore[attr-defined]
        return tags[_TIFF_HEIGHT], tags[_TIFF_WIDTH]
    return image.height, image.width


def rgb_pixels(image: Image.Image) -> np.ndarray:
    """Returns the pixels of an image of any mode, `(height, width, 3)`, uint8.

    Alpha is dropped, grey and palettes become colours, of 16 bits the upper 8 are kept. Nothing is
    turned here.

    Raises:
        ValueError: The pixels are of no range that says what is black and what is white.
    """
    if image.format == "TIFF":
        _silence_libtiff()
    if image.mode == "F" or (image.mode == "I" and image.format == "TIFF"):
        kind = "fractions" if image.mode == "F" else "of 32 bits or have a sign"
        raise ValueError(f"its pixels are {kind}: save it with 8 or 16 bits a channel")
    if image.mode.startswith("I"):
        # Pillow cuts 16 bits off at 255; the high byte is what TensorFlow keeps.
        high = np.asarray(image).astype("int64") >> 8
        return np.repeat(high.clip(0, 255).astype("uint8")[..., None], 3, axis=-1)
    return np.asarray(image.convert("RGB"))


@functools.cache
def _silence_libtiff() -> None:
    """Keeps libtiff from printing what is wrong with a file: an error says so, too.

    Pillow turns libtiff's warnings off in the same way, but not its errors.
    """
    # A Pillow without libtiff, or linked with it in another way, does not offer the function.
    with contextlib.suppress(AttributeError, OSError):
        set_handler = ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler
        set_handler.argtypes, set_handler.restype = [ctypes.c_void_p], ctypes.c_void_p
        set_handler(None)


def decode_image(encoded: bytes, upright: bool = True) -> np.ndarray:
    """Decodes an image of any of `FORMATS`, on every backend.

    Args:
        encoded: The file.
        upright: Turn it as its EXIF orientation says; otherwise it is as stored.

    Returns:
        `(height, width, 3)`, uint8, see `rgb_pixels`.

    Raises:
        ValueError: The bytes are not an image, or a truncated one.
    """
    try:
        with open_image(io.BytesIO(encoded)) as image:
            orientation = image_orientation(image)
            # Pillow turns a TIFF when it loads it, also by what XMP says.
            turned_already = image.format == "TIFF"
            image.info.pop("xmp", None)
            # Alpha is dropped, about which Pillow warns for palettes.
            image.info.pop("transparency", None)
            pixels = rgb_pixels(image)
    # Pillow raises SyntaxError, too, on some damaged PNGs.
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        unknown = isinstance(error, Image.UnidentifiedImageError)
        reason = f"no image of a format that is read ({FORMAT_NAMES})" if unknown else error
        raise ValueError(f"not a readable image: {reason}") from None
    if turned_already:
        return pixels if upright else turned_back(pixels, orientation)
    return turned(pixels, orientation) if upright else pixels


def same_in_tensorflow(encoded: Any) -> Any:
    """Returns whether TensorFlow decodes an image to the stored pixels that `decode_image` gives.

    PNG of every kind; JPEG but CMYK, of which the two read files without Adobe's marker
    differently; BMP of 24 and 32 bits a pixel, without compression, masks or bytes after its end.
    TensorFlow returns the indices of BMP palettes and paints transparency in GIF black.

    Args:
        encoded: A scalar string tensor.

    Returns:
        A scalar bool.
    """
    import tensorflow as tf

    def bmp() -> Any:
        header = tf.io.decode_raw(encoded, tf.uint8, fixed_length=34)
        fields = tf.bitcast(tf.reshape(header[2:], (8, 4)), tf.int32)
        _, _, start, size, width, height, planes, compression = tf.unstack(tf.cast(fields, "int64"))
        bits = planes // 2**16
        pixels = (width * bits + 31) // 32 * 4 * tf.abs(height)
        length = tf.cast(tf.strings.length(encoded), tf.int64)
        plain = (size >= 40) & ((bits == 24) | (bits == 32)) & (compression == 0)
        return has_signature(encoded, "BMP") & plain & (length == start + pixels)

    return tf.cond(
        has_signature(encoded, "JPEG"),
        lambda: tf.io.extract_jpeg_shape(encoded)[2] != 4,
        lambda: tf.cond(has_signature(encoded, "PNG"), lambda: True, bmp),
    )


def orientation_tensor(encoded: Any) -> Any:
    """Returns the EXIF orientation of an image inside tf.data, 1 to 8, an int32 scalar."""
    import tensorflow as tf

    # Most images have none, and then Python is not asked.
    return tf.cond(
        may_have_exif(encoded) | has_signature(encoded, "WebP") | has_signature(encoded, "TIFF"),
        lambda: tf.ensure_shape(_in_python(_orientation, tf.int32, encoded), ()),
        lambda: UPRIGHT,
    )


def decode_tensor(encoded: Any, orientation: Any = UPRIGHT) -> Any:
    """Decodes an image of any of `FORMATS` inside tf.data.

    JPEGs that are stored upright differ from `decode_image` by rounding, in a photograph about one
    level of 255 on average and at most 8, at quality 100 more: TensorFlow's default inverse DCT, as
    slim's, is another.

    Args:
        encoded: A scalar string tensor.
        orientation: How to turn it upright, see `orientation_tensor`; 1: not at all.

    Returns:
        `(height, width, 3)`, uint8.
    """
    import tensorflow as tf

    # To turn a few images in the graph would cost all of them its operations.
    image = tf.cond(
        same_in_tensorflow(encoded) & (orientation == UPRIGHT),
        lambda: decode_by_tensorflow(encoded),
        lambda: _in_python(_turned, tf.uint8, encoded, orientation),
    )
    return tf.ensure_shape(image, (None, None, 3))


def decode_crop(
    encoded: Any, top: Any, left: Any, height: Any, width: Any, orientation: Any = UPRIGHT
) -> Any:
    """Decodes a part of an image inside tf.data; of most JPEGs, only the blocks that hold it.

    Args:
        encoded: A scalar string tensor.
        top: First row of the upright image, an int32 scalar.
        left: First column.
        height: Rows.
        width: Columns.
        orientation: How to turn it upright, see `orientation_tensor`; 1: not at all.

    Returns:
        `(height, width, 3)`, uint8.
    """
    import tensorflow as tf

    def of_jpeg() -> Any:
        return tf.io.decode_and_crop_jpeg(encoded, [top, left, height, width], channels=3)

    def of_another() -> Any:
        return decode_tensor(encoded, orientation)[top : top + height, left : left + width]

    of_blocks = has_signature(encoded, "JPEG") & same_in_tensorflow(encoded)
    of_blocks &= orientation == UPRIGHT
    return tf.ensure_shape(tf.cond(of_blocks, of_jpeg, of_another), (None, None, 3))


def image_shape(encoded: Any, orientation: Any = UPRIGHT) -> Any:
    """Returns `(height, width, 3)`, int32, of an encoded image inside tf.data, from its header.

    Args:
        encoded: A scalar string tensor.
        orientation: How it is turned upright, see `orientation_tensor`; 1: not at all.
    """
    import tensorflow as tf

    shape = tf.cond(
        has_signature(encoded, "JPEG"),
        lambda: tf.concat([tf.io.extract_jpeg_shape(encoded)[:2], [3]], 0),
        lambda: _in_python(_shape, tf.int32, encoded),
    )
    return turned_shape(tf.ensure_shape(shape, 3), orientation)


def decode_by_tensorflow(encoded: Any) -> Any:
    """Decodes an image that is `same_in_tensorflow` to `(height, width, 3)`, uint8."""
    import tensorflow as tf

    return tf.io.decode_image(encoded, channels=3, expand_animations=False)


def has_signature(encoded: Any, name: str) -> Any:
    """Returns whether an image, a scalar string tensor, begins as those of a format do."""
    import tensorflow as tf

    (known,) = (each for each in FORMATS if each.name == name)
    found = [tf.strings.substr(encoded, 0, len(start)) == start for start in known.signatures]
    return tf.reduce_any(found) if len(found) > 1 else found[0]


def _in_python(function: Callable[..., np.ndarray], dtype: Any, *arguments: Any) -> Any:
    import tensorflow as tf

    def call(*values: Any) -> np.ndarray:
        # Outside of a graph they come in arrays.
        return function(*(each if isinstance(each, bytes) else each.item() for each in values))

    tensors = [tf.convert_to_tensor(each) for each in arguments]
    return tf.numpy_function(call, tensors, dtype, stateful=False)


def _shape(encoded: bytes) -> np.ndarray:
    with open_image(io.BytesIO(encoded)) as image:
        return np.asarray([*stored_size(image), 3], "int32")


def _orientation(encoded: bytes) -> np.ndarray:
    with open_image(io.BytesIO(encoded)) as image:
        return np.asarray(image_orientation(image), "int32")


def _turned(encoded: bytes, orientation: int) -> np.ndarray:
    return turned(decode_image(encoded, upright=False), orientation)

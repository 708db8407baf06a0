"""The EXIF orientation of an image: how a viewer turns what is stored, in Python and in a graph.

The rule is written twice, because a SavedModel has no Python; a test holds the two equal, and equal
to `PIL.ImageOps.exif_transpose`. The first orientation in the first directory counts, unless what
comes before it is cut off; an image with damaged EXIF is not turned. Nor is one by XMP, which
viewers and browsers do not follow either.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

UPRIGHT = 1
SEARCHED = 2**16
"""First bytes of a JPEG or PNG in which a graph looks for EXIF, which belongs at the beginning."""

_TAG = 0x0112
_SHORT, _LONG = 3, 4
_ENTRY = 12  # Bytes.
# Bytes of a value of each kind; what is longer than four is elsewhere.
_SIZES = (0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8)
# How columns and rows are reversed, after a transposition from 5 on.
_TRANSPOSED_FROM = 5
_COLUMNS_REVERSED, _ROWS_REVERSED = (2, 3, 6, 7), (3, 4, 7, 8)
_MOST_PARTS = 1000
_INVERSES = {6: 8, 8: 6}


def image_orientation(image: Image.Image) -> int:
    """Returns the orientation of an image whose pixels were not loaded yet, 1 to 8.

    Of a PNG, what stands before the pixels counts.
    """
    if hasattr(image, "tag_v2"):
        value = image.tag_v2.get(_TAG)  # type: ignore[attr-defined]
        return value if value in range(1, 9) else UPRIGHT
    return exif_orientation(image.info.get("exif") or b"")


def exif_orientation(exif: bytes) -> int:
    """Returns the orientation that EXIF data gives, 1 to 8; 1 where there is none."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, first)
        for start in range(first + 2, first + 2 + count * _ENTRY, _ENTRY):
            tag, kind, number, place = struct.unpack_from(f"{order}HHII", tiff, start)
            size = number * (_SIZES[kind] if kind < len(_SIZES) else 0)
            if size > 4 and place + size > len(tiff):
                break
            if tag == _TAG:
                held = f"{order}{'I' if kind == _LONG else 'H'}"
                (value,) = struct.unpack_from(held, tiff, start + 8)
                is_right = kind in (_SHORT, _LONG) and number == 1 and value in range(1, 9)
                return value if is_right else UPRIGHT
    except struct.error:
        pass
    return UPRIGHT


def turned(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turns stored pixels upright.

    Args:
        pixels: `(height, width, channels)`.
        orientation: 1 to 8.

    Returns:
        The pixels as a viewer shows them; from orientation 5 on, height and width change places.
    """
    if orientation >= _TRANSPOSED_FROM:
        pixels = pixels.swapaxes(0, 1)
    rows = -1 if orientation in _ROWS_REVERSED else 1
    columns = -1 if orientation in _COLUMNS_REVERSED else 1
    return np.ascontiguousarray(pixels[::rows, ::columns])


def turned_back(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes `turned`."""
    return turned(pixels, _INVERSES.get(orientation, orientation))


def turned_size(height: Any, width: Any, orientation: int) -> tuple[Any, Any]:
    """Returns the height and width of `turned` pixels, from those of the stored ones."""
    return (width, height) if orientation >= _TRANSPOSED_FROM else (height, width)


def turned_in_graph(pixels: Any, orientation: Any) -> Any:
    """Does as `turned`, with tensors."""
    import tensorflow as tf

    if is_stored_upright(orientation):
        return pixels

    def turn() -> Any:
        transposed = tf.cond(
            orientation >= _TRANSPOSED_FROM, lambda: tf.transpose(pixels, (1, 0, 2)), lambda: pixels
        )
        reversed_axes = tf.boolean_mask([0, 1], _reversals(orientation))
        return tf.reverse(transposed, reversed_axes)

    return tf.cond(orientation > UPRIGHT, turn, lambda: pixels)


def turned_shape(shape: Any, orientation: Any) -> Any:
    """Returns the shape of turned pixels, `(3,)`, from that of the stored ones."""
    import tensorflow as tf

    if is_stored_upright(orientation):
        return shape
    return tf.where(orientation >= _TRANSPOSED_FROM, tf.gather(shape, [1, 0, 2]), shape)


def is_stored_upright(orientation: Any) -> bool:
    """Returns whether nothing is turned, as is known before the graph runs."""
    return isinstance(orientation, int) and orientation == UPRIGHT


def _reversals(orientation: Any) -> Any:
    """Returns whether rows and columns are reversed, bool `(2,)`."""
    import tensorflow as tf

    by_orientation = [[o in _ROWS_REVERSED, o in _COLUMNS_REVERSED] for o in range(9)]
    return tf.gather(tf.constant(by_orientation), orientation)


def may_have_exif(encoded: Any) -> Any:
    """Returns whether a JPEG or PNG may have EXIF: a quick test that says no to most.

    Args:
        encoded: A scalar string tensor; of it, `SEARCHED` bytes are looked at.

    Returns:
        A scalar bool.
    """
    import tensorflow as tf

    searched = tf.strings.substr(encoded, 0, SEARCHED)

    def holds(letters: str) -> Any:
        # Twice as fast as to compare the bytes as a vector.
        without = tf.strings.regex_replace(searched, letters, "", replace_global=False)
        return tf.strings.length(without) < tf.strings.length(searched)

    return tf.cond(_is_png(encoded), lambda: holds("eXIf"), lambda: holds("Exif"))


def orientation_in_graph(encoded: Any) -> Any:
    """Returns the orientation of a JPEG or PNG without Python, and 1 for anything else.

    Args:
        encoded: A scalar string tensor; EXIF that begins after `SEARCHED` bytes is not seen.

    Returns:
        1 to 8, an int32 scalar.
    """
    import tensorflow as tf

    def look() -> Any:
        searched = tf.strings.substr(encoded, 0, SEARCHED)
        data = tf.io.decode_raw(searched, tf.uint8)
        start, length = tf.cond(_is_png(encoded), lambda: _png_exif(data), lambda: _jpeg_exif(data))
        return _tiff_orientation(data[start : start + length])

    return tf.cond(may_have_exif(encoded), look, lambda: UPRIGHT)


def _is_png(encoded: Any) -> Any:
    import tensorflow as tf

    return tf.strings.substr(encoded, 0, 4) == b"\x89PNG"


def _jpeg_exif(data: Any) -> tuple[Any, Any]:
    """Returns where the TIFF data of a JPEG's first Exif segment starts, and its length or 0."""
    import tensorflow as tf

    at = _bytes_at(data)

    def length(place: Any) -> Any:
        return tf.reduce_sum(at(place + 2, 2) * (256, 1))

    def is_exif(place: Any) -> Any:
        return tf.reduce_all(
            tf.concat([at(place + 1, 1), at(place + 4, 6)], 0) == list(b"\xe1Exif\0\0")
        )

    def goes_on(place: Any) -> Any:
        marker = at(place, 2)
        return (marker[0] == 0xFF) & (marker[1] != 0xDA) & ~is_exif(place)

    def following(place: Any) -> Any:
        # Markers may be preceded by any number of bytes of 0xFF.
        step = length(place) + 2
        return place + tf.where(at(place, 2)[1] == 0xFF, tf.ones_like(step), step)

    place = _walked(goes_on, following, 2)
    held = tf.maximum(length(place) - 8, 0)
    return place + 10, held * tf.cast(is_exif(place), tf.int64)


def _png_exif(data: Any) -> tuple[Any, Any]:
    """Returns where the eXIf chunk before a PNG's pixels has its data, and its length or 0."""
    import tensorflow as tf

    at = _bytes_at(data)

    def is_called(place: Any, name: bytes) -> Any:
        return tf.reduce_all(at(place + 4, 4) == list(name))

    def length(place: Any) -> Any:
        return tf.reduce_sum(at(place, 4) * (2**24, 2**16, 2**8, 1))

    def goes_on(place: Any) -> Any:
        return (
            (place < tf.size(data, tf.int64))
            & ~is_called(place, b"eXIf")
            & ~is_called(place, b"IDAT")
        )

    place = _walked(goes_on, lambda place: place + 12 + length(place), 8)
    return place + 8, length(place) * tf.cast(is_called(place, b"eXIf"), tf.int64)


def _walked(goes_on: Callable[[Any], Any], following: Callable[[Any], Any], start: int) -> Any:
    import tensorflow as tf

    # A file made to be slow has as many parts as bytes.
    (place,) = tf.while_loop(
        goes_on,
        lambda place: (following(place),),
        [tf.constant(start, tf.int64)],
        maximum_iterations=_MOST_PARTS,
    )
    return place


def _tiff_orientation(tiff: Any) -> Any:
    """Does as `exif_orientation`, from a vector of bytes."""
    import tensorflow as tf

    at = _bytes_at(tiff)
    size = tf.size(tiff, tf.int64)
    is_little = tf.reduce_all(at(0, 4) == list(b"II*\0"))
    is_big = tf.reduce_all(at(0, 4) == list(b"MM\0*"))

    def number(values: Any) -> Any:
        """Returns the integers that the last axis holds."""
        weights = 256 ** tf.range(tf.shape(values, tf.int64)[-1])
        return tf.reduce_sum(values * tf.where(is_big, weights[::-1], weights), -1)

    first = number(at(4, 4))
    start = tf.minimum(first + 2, size)
    count = tf.minimum(number(at(first, 2)), (size - start) // _ENTRY)
    entries = tf.reshape(at(start, count * _ENTRY), (-1, _ENTRY))
    kind, place = number(entries[:, 2:4]), number(entries[:, 8:12])
    value_size = tf.gather([*_SIZES, 0], tf.minimum(kind, len(_SIZES)))
    held = number(entries[:, 4:8]) * tf.cast(value_size, tf.int64)
    is_cut_off = tf.cumsum(tf.cast((held > 4) & (place + held > size), tf.int32)) > 0
    value = tf.where(kind == _LONG, place, number(entries[:, 8:10]))
    is_right = (kind == _SHORT) | (kind == _LONG)
    is_right &= ~is_cut_off & (number(entries[:, 4:8]) == 1) & (value >= 1) & (value <= 8)
    value = tf.where(is_right, value, tf.ones_like(value))
    found = tf.boolean_mask(value, number(entries[:, :2]) == _TAG)
    found = tf.concat([found, tf.ones(1, tf.int64)], 0)[0]
    return tf.where(is_little | is_big, tf.cast(found, tf.int32), UPRIGHT)


def _bytes_at(data: Any) -> Callable[[Any, Any], Any]:
    """Returns what gives some bytes from a place on as int64; after the end there are zeros."""
    import tensorflow as tf

    size = tf.size(data, tf.int64)
    padded = tf.cast(tf.pad(data, [[0, _ENTRY]]), tf.int64)

    def at(place: Any, count: Any) -> Any:
        place = tf.minimum(tf.cast(place, tf.int64), size)
        return padded[place : place + count]

    return at

"""What an image's own header says about it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError

from nasnet_keras.data.image_reader import FORMAT_NAMES, open_image
from nasnet_keras.detection.data.source_images import SourceImage
from nasnet_keras.input_files import check_file

_ORIENTATION_TAG, _SIDEWAYS = 0x0112, (5, 6, 7, 8)


def image_header(
    file: BinaryIO, path: Path, given: tuple[Any, Any] | None = None
) -> tuple[int, int, bool] | str:
    """Reads the size of an image.

    Args:
        file: The encoded image.
        path: Its name, for messages.
        given: Height and width that the annotation gives.

    Returns:
        Height, width, and whether they are `given` the other way round and the EXIF tag says that
        the image lies on its side; or what is wrong.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with open_image(file) as opened:
                sideways = False
                # Of some formats, Pillow decodes the whole image to find the tag.
                if given == opened.size and given != (opened.height, opened.width):
                    sideways = opened.getexif().get(_ORIENTATION_TAG) in _SIDEWAYS
                return opened.height, opened.width, sideways
    except UnidentifiedImageError:
        return f"{path} is not an image of a format that is read ({FORMAT_NAMES})"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"{path} cannot be read as an image: {error}"


def header_of(image: SourceImage) -> tuple[int, int, bool] | str:
    """Returns what `image_header` says about the file of an image, or what is wrong with it."""
    if image.header is not None:
        return image.header
    if image.path is None:
        return f"the file name {image.name!r} leads out of the folder of the images"
    try:
        check_file(image.path)
        with image.path.open("rb") as file:
            return image_header(file, image.path, image.size)
    except FileNotFoundError:
        return f"image file {image.path} is missing"
    except OSError as error:
        return f"image file {image.path}: {error.strerror}"

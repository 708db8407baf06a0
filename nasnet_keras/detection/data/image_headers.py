"""What an image's own header says about it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from nasnet_keras.data.exif import UPRIGHT, image_orientation, turned_size
from nasnet_keras.data.image_reader import FORMAT_NAMES, open_image, stored_size
from nasnet_keras.detection.data.source_images import Header, SourceImage
from nasnet_keras.files.input_files import check_file


def image_header(file: BinaryIO, path: Path) -> Header | str:
    """Reads the size of an image.

    Args:
        file: The encoded image.
        path: Its name, for messages.

    Returns:
        Height and width as stored, and the EXIF orientation; or what is wrong.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with open_image(file) as opened:
                return (*stored_size(opened), image_orientation(opened))
    except UnidentifiedImageError:
        return f"{path} is not an image of a format that is read ({FORMAT_NAMES})"
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        return f"{path} cannot be read as an image: {error}"


def header_of(image: SourceImage) -> Header | str:
    """Returns what `image_header` says about the file of an image, or what is wrong with it."""
    if image.header is not None:
        return image.header
    if image.path is None:
        return f"the file name {image.name!r} leads out of the folder of the images"
    try:
        check_file(image.path)
        with image.path.open("rb") as file:
            return image_header(file, image.path)
    except FileNotFoundError:
        return f"image file {image.path} is missing"
    except OSError as error:
        return f"image file {image.path}: {error.strerror}"


def annotated_orientation(header: Header, size: tuple[int, int] | None, turns: bool) -> int | None:
    """Returns the orientation in which an image has the size that its annotation gives.

    Tools that show images upright annotate them so. Of a square image, or one that is upside down,
    the size does not tell.

    Args:
        header: What `image_header` returned.
        size: Height and width in the annotation; `None`: not given.
        turns: Whether EXIF orientations are followed.

    Returns:
        The EXIF orientation; 1 where the annotation is for the image as stored; or `None` where
        the size is another.
    """
    height, width, orientation = header
    if turns and size in (None, turned_size(height, width, orientation)):
        return orientation
    return UPRIGHT if size in (None, (height, width)) else None

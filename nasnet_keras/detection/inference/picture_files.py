"""Pictures from files, folders and webcams."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from nasnet_keras.data.image_reader import SUFFIXES


def find_pictures(
    paths: Iterable[str | os.PathLike[str]], leave_out: str | os.PathLike[str] | None = None
) -> list[Path]:
    """Lists pictures by name; nothing is opened.

    Args:
        paths: Files of any name; and folders, of which all files with one of `SUFFIXES` are taken,
            those of their folders too.
        leave_out: A folder to leave out, i.e. the output's.

    Returns:
        The files in the order given, those of a folder by name, each once.

    Raises:
        ValueError: A folder holds no picture, or is `leave_out`.
    """
    found: dict[Path, None] = {}
    skipped = Path(leave_out).resolve() if leave_out is not None else None
    for path in map(Path, paths):
        if not path.is_dir():
            found[path] = None
            continue
        folder = path.resolve()
        if folder == skipped:
            raise ValueError(f"{path} is the output directory, not a folder of pictures to read")
        # The output's folder may contain this one, e.g. be the current directory.
        passed_over = skipped if skipped is not None and folder in skipped.parents else None
        inside = [
            file
            for file in sorted(path.rglob("*"))
            if file.suffix.lower() in SUFFIXES
            and file.is_file()
            and (passed_over is None or passed_over not in file.resolve().parents)
        ]
        if not inside:
            raise ValueError(f"{path} holds no picture ({', '.join(SUFFIXES)})")
        found.update(dict.fromkeys(inside))
    return list(found)


def camera_frame(index: int) -> np.ndarray:
    """Takes a frame of a webcam.

    Args:
        index: OpenCV's index of the webcam; 0 is the first.

    Returns:
        `(height, width, 3)`, uint8.

    Raises:
        ValueError: OpenCV is not installed, or there is no such webcam.
    """
    try:
        import cv2
    except ImportError as error:
        raise ValueError("a webcam needs OpenCV: pip install opencv-python-headless") from error
    camera = cv2.VideoCapture(index)
    try:
        good, frame = camera.read() if camera.isOpened() else (False, None)
    finally:
        camera.release()
    if not good or frame is None:
        raise ValueError(f"camera {index} gives no picture")
    return np.ascontiguousarray(frame[..., ::-1])


def sample_pictures() -> list[np.ndarray]:
    """Returns scikit-learn's two photographs, `(427, 640, 3)`, uint8."""
    from sklearn.datasets import load_sample_images

    return [np.asarray(picture) for picture in load_sample_images().images]

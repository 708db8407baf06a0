"""The names of ImageNet's classes, in the order that published weights have them in."""

from __future__ import annotations

from nasnet_keras.files.input_files import read_file
from nasnet_keras.files.json_text import parse_json
from nasnet_keras.weights.published_files import cached_file

# What `keras.applications.nasnet.decode_predictions` reads, under the same name in the same place;
# source: keras/src/applications/imagenet_utils.py.
_URL = "https://storage.googleapis.com/download.tensorflow.org/data/imagenet_class_index.json"
_NAME = "imagenet_class_index.json"
_MD5 = "c2c37ea517e94d9795004a39431a14cb"
IMAGENET_CLASSES = 1000
BACKGROUND = "background"


def imagenet_class_names(background: bool = False) -> tuple[str, ...]:
    """Returns the names of the 1,000 classes, as `nk.decode_predictions` has them.

    Args:
        background: Whether slim's class 0 stands before them.

    Raises:
        ConnectionError: The list cannot be downloaded; the error says which file to put where.
        ValueError: The file in the cache is another one.
        OSError: It cannot be read or written.
    """
    classes = parse_json(read_file(cached_file(_URL, _NAME, _MD5)))
    names = tuple(classes[str(label)][1] for label in range(len(classes)))
    return (BACKGROUND, *names) if background else names

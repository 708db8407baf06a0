"""The published weights: which there are, where they lie and what is in them."""

from __future__ import annotations

import fnmatch
import os
from dataclasses import dataclass

from nasnet_keras.text.suggestions import unknown_name

IMAGENET, SLIM, TIMM, COCO = "imagenet", "imagenet_slim", "timm", "coco"
NAMES = (IMAGENET, SLIM, TIMM, COCO)
"""What weights are called; which of them a network has, `list_weights` says."""


@dataclass(frozen=True)
class PublishedWeights:
    """A file of weights.

    Attributes:
        model: The network or the detector that it is of.
        name: What `weights=...` calls it.
        url: Its address.
        file: Its name in Keras's cache directory.
        classes: Classes of its classifier.
        holds: What is in it.
        accuracy: As published: top-1 / top-5 on ImageNet's validation images, or mAP on COCO.
        licence: Under which it is published, and who says so.
        md5: Its digest, where one is published.
        include_top: Whether the classifier is in it.
    """

    model: str
    name: str
    url: str
    file: str
    classes: int
    holds: str
    accuracy: str
    licence: str
    md5: str | None = None
    include_top: bool = True


_KERAS = "https://storage.googleapis.com/tensorflow/keras-applications/nasnet/"
_SLIM = "https://storage.googleapis.com/download.tensorflow.org/models/"
_DETECTORS = "http://download.tensorflow.org/models/object_detection/"
_TIMM = "https://huggingface.co/timm/"
# Neither archives nor Keras's files hold a licence of their own.
_OF_REPOSITORY = "Apache-2.0, of the repository tensorflow/models; none in the file"
_CONVERTED = "none in the file; converted from slim's, Apache-2.0"
_MODEL_CARD = "Apache-2.0, by its model card"
_MOBILE, _LARGE = "74.0 / 91.6", "82.7 / 96.2"
_PNAS_MOBILE, _PNAS_LARGE = "74.2 / 91.9", "82.9 / 96.2"


def _keras(model: str, file: str, accuracy: str, md5: str, md5_no_top: str) -> list:
    """Returns the rows of Keras's two files; source: keras/src/applications/nasnet.py."""
    return [
        PublishedWeights(
            *(model, IMAGENET, f"{_KERAS}{file}{ending}.h5", f"{model}{suffix}.h5", 1000),
            *(f"weights converted from slim's{rest}", accuracy, _CONVERTED),
            md5=digest,
            include_top=not ending,
        )
        for ending, suffix, rest, digest in (
            ("", "", "", md5),
            ("-no-top", "_no_top", ", without the classifier", md5_no_top),
        )
    ]


def _slim(model: str, name: str, archive: str, accuracy: str) -> PublishedWeights:
    classes = 1000 if name == IMAGENET else 1001
    holds = "weights, moving averages, auxiliary head"
    holds += "; the background is left out" if name == IMAGENET else "; class 0 is the background"
    file = f"{archive}.tar.gz"
    url = f"{_SLIM}{file}"
    return PublishedWeights(model, name, url, file, classes, holds, accuracy, _OF_REPOSITORY)


def _timm(model: str, theirs: str, accuracy: str) -> PublishedWeights:
    url = f"{_TIMM}{theirs}/resolve/main/model.safetensors"
    holds = "weights converted from slim's, in PyTorch's layout"
    file = f"{theirs}.safetensors"
    return PublishedWeights(model, TIMM, url, file, 1000, holds, accuracy, _MODEL_CARD)


def _detector(model: str, archive: str, accuracy: str) -> PublishedWeights:
    file = f"{archive}.tar.gz"
    holds = "weights of both stages; 90 class slots by COCO's ids, ten of them unused"
    url = f"{_DETECTORS}{file}"
    return PublishedWeights(model, COCO, url, file, 90, holds, accuracy, _OF_REPOSITORY)


PUBLISHED: tuple[PublishedWeights, ...] = (
    *_keras(
        *("nasnet_mobile", "NASNet-mobile", _MOBILE),
        *("020fb642bf7360b370c678b08e0adf61", "1ed92395b5b598bdda52abe5c0dbfd63"),
    ),
    _slim("nasnet_mobile", SLIM, "nasnet-a_mobile_04_10_2017", _MOBILE),
    *_keras(
        *("nasnet_large", "NASNet-large", _LARGE),
        *("11577c9a518f0070763c2b964a382f17", "d81d89dc07e6e56530c4e77faddd61b5"),
    ),
    _slim("nasnet_large", SLIM, "nasnet-a_large_04_10_2017", _LARGE),
    _timm("nasnet_large", "nasnetalarge.tf_in1k", _LARGE),
    _slim("pnasnet_mobile", IMAGENET, "pnasnet-5_mobile_2017_12_13", _PNAS_MOBILE),
    _slim("pnasnet_mobile", SLIM, "pnasnet-5_mobile_2017_12_13", _PNAS_MOBILE),
    _slim("pnasnet_large", IMAGENET, "pnasnet-5_large_2017_12_13", _PNAS_LARGE),
    _slim("pnasnet_large", SLIM, "pnasnet-5_large_2017_12_13", _PNAS_LARGE),
    _timm("pnasnet_large", "pnasnet5large.tf_in1k", _PNAS_LARGE),
    _detector("nasnet_large_1200", "faster_rcnn_nas_coco_2018_01_28", "43 mAP"),
    _detector(
        "nasnet_large_1200_lowproposals",
        "faster_rcnn_nas_lowproposals_coco_2018_01_28",
        "none published",
    ),
)


def named_weights(path: str | os.PathLike[str]) -> tuple[str, str] | None:
    """Divides what stands for published weights where a path could stand instead.

    Args:
        path: E.g. `"imagenet:nasnet_mobile"`.

    Returns:
        The name of the weights, and that of the network or detector; `None` if it is a path.
    """
    name, colon, model = os.fspath(path).partition(":")
    return (name, model) if colon and name in NAMES else None


def list_weights(pattern: str = "*") -> tuple[PublishedWeights, ...]:
    """Returns the published weights of networks and detectors.

    Args:
        pattern: The name of a network or detector, or a pattern of such names with `*` and `?`.

    Returns:
        One entry a file.

    Raises:
        ValueError: There are none; the nearest name is suggested.
    """
    found = tuple(each for each in PUBLISHED if fnmatch.fnmatchcase(each.model, pattern))
    if not found:
        models = dict.fromkeys(each.model for each in PUBLISHED)
        raise ValueError(
            unknown_name("network or detector with published weights", pattern, models)
        )
    return found


def published_weights(model: str, name: str, include_top: bool = True) -> PublishedWeights:
    """Returns the entry of a network or detector by the name of the weights.

    Args:
        model: The network or the detector.
        name: One of `NAMES`.
        include_top: Whether the classifier is wanted; without it, a file that has none is
            preferred.

    Raises:
        ValueError: There are no such weights of it.
    """
    found = [each for each in PUBLISHED if (each.model, each.name) == (model, name)]
    if not found:
        others = [each.name for each in PUBLISHED if each.model == model]
        if others:
            which = f"there are: {', '.join(dict.fromkeys(others))}"
        else:
            models = dict.fromkeys(each.model for each in PUBLISHED if each.name == name)
            which = f"there are of: {', '.join(models)}"
        raise ValueError(f"no published weights {name!r} of {model!r}; {which}")
    return next((each for each in found if each.include_top == include_top), found[0])

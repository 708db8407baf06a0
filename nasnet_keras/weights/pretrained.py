"""The `weights` argument of the model functions: `"imagenet"` or a file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras

from nasnet_keras.suggestions import unknown_name
from nasnet_keras.weights.assign import LoadReport, check_list, first_line
from nasnet_keras.weights.keras_applications import (
    is_keras_application,
    load_keras_applications_weights,
)
from nasnet_keras.weights.keras_files import (
    is_own_weights_file,
    load_keras_model,
    load_network,
    load_own_weights_file,
)
from nasnet_keras.weights.slim_checkpoint import load_slim_checkpoint
from nasnet_keras.weights.slim_names import CLASSIFIER_SCOPE

IMAGENET = "imagenet"
_URL = "https://storage.googleapis.com/tensorflow/keras-applications/nasnet/"


@dataclass(frozen=True)
class _File:
    name: str
    url: str
    md5: str


# Source: keras/src/applications/nasnet.py. By network and whether the classifier is in the file.
_IMAGENET = {
    ("nasnet_mobile", True): _File(
        "nasnet_mobile.h5", f"{_URL}NASNet-mobile.h5", "020fb642bf7360b370c678b08e0adf61"
    ),
    ("nasnet_mobile", False): _File(
        "nasnet_mobile_no_top.h5",
        f"{_URL}NASNet-mobile-no-top.h5",
        "1ed92395b5b598bdda52abe5c0dbfd63",
    ),
    ("nasnet_large", True): _File(
        "nasnet_large.h5", f"{_URL}NASNet-large.h5", "11577c9a518f0070763c2b964a382f17"
    ),
    ("nasnet_large", False): _File(
        "nasnet_large_no_top.h5",
        f"{_URL}NASNet-large-no-top.h5",
        "d81d89dc07e6e56530c4e77faddd61b5",
    ),
}


def load_pretrained(
    model: keras.Model,
    preset_name: str,
    weights: str | os.PathLike[str],
    include_top: bool = True,
    exclude_scopes: Sequence[str] = (),
    ignore_missing_vars: bool = False,
) -> LoadReport:
    """Sets a network's variables from published weights or from a file.

    A mismatch changes nothing in the model.

    Args:
        model: A network of this package.
        preset_name: Its name, e.g. `"nasnet_mobile"`.
        weights: `"imagenet"`: the files that Keras publishes, 1,000 classes, downloaded into
            Keras's cache directory. Or a path, by its ending: `.keras`, `.h5` and `.hdf5` (weights
            or a whole model, of this package or of `keras.applications`); any other is a slim
            checkpoint, of which the moving averages are read where it has them.
        include_top: Whether the model has the classifier. Without it, the classifier in a file is
            skipped.
        exclude_scopes: Scopes that stay as they are in the model, e.g. `["final_layer", "aux_7"]`
            to fine-tune on other classes.
        ignore_missing_vars: Leaves variables of the model that the file does not have as they are;
            `missing` in the report lists them.

    Returns:
        What was set and what was left out.

    Raises:
        ValueError: `weights` is a mistyped `"imagenet"`, there are no published weights of this
            network, or the file is damaged or does not fit the model.
        FileNotFoundError: There is no such file.
        ConnectionError: The download failed; the error says which file to put where.
    """
    check_list("exclude_scopes", exclude_scopes)
    excluded = list(exclude_scopes)
    if not include_top and CLASSIFIER_SCOPE not in excluded:
        excluded.append(CLASSIFIER_SCOPE)
    check_weights(weights)
    options: dict[str, Any] = {
        "exclude_scopes": excluded,
        "ignore_missing_vars": ignore_missing_vars,
    }
    if weights == IMAGENET:
        path = _download(preset_name, CLASSIFIER_SCOPE not in excluded)
        return load_keras_applications_weights(model, path, **options)
    path = os.fspath(weights)
    if path.endswith(".keras"):
        return load_saved_model(model, load_keras_model(path), path, **options)
    if path.endswith((".h5", ".hdf5")):
        if is_own_weights_file(path):
            return load_own_weights_file(model, path, **options)
        return load_keras_applications_weights(model, path, **options)
    return load_slim_checkpoint(model, path, use_moving_averages=None, **options)


def load_saved_model(
    model: keras.Model,
    saved: keras.Model,
    source: str,
    exclude_scopes: Sequence[str] = (),
    ignore_missing_vars: bool = False,
    averages: Mapping[str, Any] | None = None,
) -> LoadReport:
    """Sets a network's variables from a model read from a file.

    Args:
        model: A network of this package.
        saved: A network of this package or of `keras.applications`.
        source: The file.
        exclude_scopes: Scopes that stay as they are in the model.
        ignore_missing_vars: Leaves variables that the file does not have as they are.
        averages: Values to use instead of those of `saved`, by path.

    Returns:
        What was set and what was left out.

    Raises:
        ValueError: They do not fit; nothing has changed.
    """
    if is_keras_application(saved):
        report = load_keras_applications_weights(model, saved, exclude_scopes, ignore_missing_vars)
        return replace(report, source=source)
    return load_network(model, saved, source, exclude_scopes, ignore_missing_vars, averages)


def check_weights(weights: str | os.PathLike[str] | None) -> None:
    """Refuses a mistyped `"imagenet"`, which would be taken for the path of a checkpoint.

    Raises:
        ValueError: `weights` is no path that exists, and is almost that name.
    """
    if not isinstance(weights, str) or weights == IMAGENET:
        return
    is_file = os.path.exists(weights) or os.path.exists(f"{weights}.index")
    if not is_file and difflib.get_close_matches(weights.lower(), [IMAGENET]):
        raise ValueError(unknown_name("weights", weights, [IMAGENET]))


def _download(preset_name: str, has_classifier: bool) -> str:
    """Returns the path of Keras's file, downloaded if it is not in the cache."""
    if (preset_name, True) not in _IMAGENET:
        names = ", ".join(name for name, top in _IMAGENET if top)
        raise ValueError(f"no published ImageNet weights of {preset_name!r}; there are of: {names}")
    file = _IMAGENET[preset_name, has_classifier]
    cache = os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")
    try:
        return keras.utils.get_file(
            file.name, file.url, cache_subdir="models", file_hash=file.md5, cache_dir=cache
        )
    # Keras raises a bare Exception where the network is missing.
    except Exception as error:
        reason = first_line(error)
        raise ConnectionError(
            f"cannot download the ImageNet weights ({reason}): put {file.url} (md5 {file.md5}) at "
            f"{os.path.join(cache, 'models', file.name)}"
        ) from error

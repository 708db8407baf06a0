"""The `weights` argument of the model functions: a name of published weights, or a file."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras

from nasnet_keras.text.suggestions import unknown_name
from nasnet_keras.weights.archives import is_archive
from nasnet_keras.weights.assign import LoadReport, MisfitError, check_list
from nasnet_keras.weights.catalogue import NAMES, PublishedWeights, published_weights
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
from nasnet_keras.weights.published_files import published_file
from nasnet_keras.weights.slim_checkpoint import load_slim_checkpoint
from nasnet_keras.weights.slim_names import CLASSIFIER_SCOPE
from nasnet_keras.weights.sources import CONVERTED, is_converted
from nasnet_keras.weights.timm_weights import TIMM_ENDINGS, load_timm_weights


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
        weights: A name of `list_weights(preset_name)`, downloaded into Keras's cache directory:
            `"imagenet"`, 1,000 classes; `"imagenet_slim"`, 1,001 with the background or 1,000
            without it. Or a path, by its ending: `.keras`, `.h5` and `.hdf5` (weights or a whole
            model, of this package or of `keras.applications`); any other is a slim checkpoint or an
            archive of one, of which the moving averages are read where it has them.
        include_top: Whether the model has the classifier. Without it, the classifier in a file is
            skipped.
        exclude_scopes: Scopes that stay as they are in the model, e.g. `["final_layer", "aux_7"]`
            to fine-tune on other classes.
        ignore_missing_vars: Leaves variables of the model that the file does not have as they are;
            `missing` in the report lists them.

    Returns:
        What was set and what was left out.

    Raises:
        ValueError: `weights` is a mistyped name, there are no such published weights of this
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
    path = os.fspath(weights)
    if weights in NAMES:
        has_classifier = CLASSIFIER_SCOPE not in excluded
        entry = published_weights(preset_name, path, has_classifier)
        if has_classifier and is_archive(entry.file):
            _check_classes(model, entry)
        path = os.fspath(published_file(entry))
    if path.endswith(".keras"):
        return load_saved_model(model, load_keras_model(path), path, **options)
    is_h5 = path.endswith((".h5", ".hdf5"))
    if is_h5 and is_own_weights_file(path):
        return load_own_weights_file(model, path, **options)
    if is_h5 and not (path.endswith(CONVERTED) and is_converted(path)):
        return load_keras_applications_weights(model, path, **options)
    if path.endswith(TIMM_ENDINGS):
        return load_timm_weights(model, path, **options)
    # Averages where there are any, and the background where the model has it.
    options |= {"use_moving_averages": None, "drop_background": None}
    return load_slim_checkpoint(model, path, **options)


def _check_classes(model: keras.Model, entry: PublishedWeights) -> None:
    """Refuses a model of slim's classes for weights that are published without the background."""
    for variable in model.weights:
        if variable.path == f"{CLASSIFIER_SCOPE}/FC/bias":
            ours = int(variable.shape[0])
            if ours == 1001 and entry.classes == 1000:
                raise MisfitError(
                    f"weights {entry.name!r} of {entry.model} have 1000 classes and the model "
                    f"{ours}",
                    [CLASSIFIER_SCOPE],
                )


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
    """Refuses a mistyped name of weights, which would be taken for the path of a checkpoint.

    Raises:
        ValueError: `weights` is no path that exists, and is almost such a name.
    """
    if not isinstance(weights, str) or weights in NAMES:
        return
    is_file = os.path.exists(weights) or os.path.exists(f"{weights}.index")
    if not is_file and difflib.get_close_matches(weights.lower(), NAMES):
        raise ValueError(unknown_name("weights", weights, NAMES))

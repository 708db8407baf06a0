"""Training that starts from other weights, and of a part of the network only."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from nasnet_keras.layers.frozen import learned_variables, set_learned
from nasnet_keras.text.suggestions import unknown_name
from nasnet_keras.training.optimizers.moving_average import averaged_weights
from nasnet_keras.training.run_directory import CHECKPOINT_NAME
from nasnet_keras.training.saved_network import load_model
from nasnet_keras.weights.assign import LoadReport, MisfitError, check_list
from nasnet_keras.weights.pretrained import load_pretrained, load_saved_model
from nasnet_keras.weights.slim_names import in_scopes
from nasnet_keras.weights.values import LISTED


def start_from(
    model: keras.Model,
    checkpoint_path: str | os.PathLike[str],
    exclude_scopes: Sequence[str] = (),
    ignore_missing_vars: bool = False,
) -> LoadReport:
    """Sets a network's weights from a checkpoint, as slim's `--checkpoint_path`.

    The network may have another number of classes, if its classifiers are excluded, and another
    input size; only the kernel of an auxiliary head depends on the size. Where the checkpoint has
    moving averages, they are what is read. The training step, drop path's step and the optimizer
    stay as they are. Works before and after `compile` and within a distribution's scope.

    Args:
        model: A network of this package, with or without augmentation, auxiliary head, drop path.
        checkpoint_path: A run directory or `.keras` file of this package; a `.weights.h5` of this
            package or of `keras.applications`, or a legacy `.h5` of theirs; or a slim checkpoint:
            its prefix, its `.index` file, its directory, or an archive.
        exclude_scopes: Scopes that keep their values, as slim's `--checkpoint_exclude_scopes`:
            `["final_layer", "aux_11"]`. Whole path segments are compared.
        ignore_missing_vars: Variables that the checkpoint does not have keep their values, as with
            slim's flag of that name; otherwise they are an error.

    Returns:
        What was set and what was left out; `describe_start` says it in a line.

    Raises:
        OSError: There is no such checkpoint.
        ValueError: The checkpoint is damaged or does not fit the network, or there is no such
            scope; nothing has changed.
    """
    path = Path(checkpoint_path)
    if path.is_dir() and (path / CHECKPOINT_NAME).exists():
        path = path / CHECKPOINT_NAME
    elif path.is_dir() and not (path / "checkpoint").exists() and not list(path.glob("*.index")):
        raise FileNotFoundError(2, f"neither {CHECKPOINT_NAME} nor a slim checkpoint", str(path))
    options: dict[str, Any] = {
        "exclude_scopes": exclude_scopes,
        "ignore_missing_vars": ignore_missing_vars,
    }
    try:
        if path.suffix == ".keras":
            saved = load_model(path)
            averages = averaged_weights(saved)
            return load_saved_model(model, saved, str(path), averages=averages, **options)
        # A `Path` would spoil the address of a remote checkpoint.
        source = os.fspath(checkpoint_path)
        return load_pretrained(model, model.name, source, **options)
    except MisfitError as error:
        if not error.heads:
            raise
        heads = ",".join([*exclude_scopes, *error.heads])
        raise MisfitError(f"{error} (--checkpoint_exclude_scopes={heads})", error.heads) from None


def describe_start(report: LoadReport) -> str:
    """Returns one line that says what `start_from` did.

    Args:
        report: What it returned.
    """
    parts = [
        f"{len(report.assigned):,} variables ({report.parameters:,} parameters) from "
        f"{report.source}"
    ]
    if report.averaged:
        parts.append(f"{report.averaged:,} of them moving averages")
    for paths, reason in ((report.kept, "excluded"), (report.missing, "not in the checkpoint")):
        if paths:
            names = paths if reason != "excluded" else sorted({p.split("/", 1)[0] for p in paths})
            more = ", ..." if len(names) > LISTED else ""
            listed = f"{', '.join(names[:LISTED])}{more}"
            parts.append(f"{len(paths):,} left as they were, {reason}: {listed}")
    return "; ".join(parts)


def set_trainable(
    model: keras.Model,
    trainable_scopes: Sequence[str] | None = None,
    freeze_batch_norm: bool = False,
) -> None:
    """Chooses what is trained, as slim's `--trainable_scopes`; all the rest is frozen.

    A frozen layer's batch normalization is frozen with its statistics: it normalizes by them in
    training as at inference. A saved network remembers what was frozen. To be called before the
    optimizer's first step and before `add_weight_decay`; calling it again changes nothing.

    Args:
        model: A network of this package.
        trainable_scopes: Beginnings of variables' paths in whole segments: `["final_layer"]`,
            `["cell_11", "cell_10/comb_iter_0"]`. `None`: everything.
        freeze_batch_norm: Freezes every batch normalization: gamma, beta and statistics.

    Raises:
        ValueError: There is no such scope (the nearest is suggested), nothing is left to train, or
            the optimizer was built for other variables; nothing has changed.
    """
    check_list("trainable_scopes", trainable_scopes or ())
    learned = learned_variables(model)
    for scope in trainable_scopes or ():
        _check_scope(scope, [variable.path for variable in learned])
    frozen = set()
    if freeze_batch_norm:
        for layer in model._flatten_layers():
            if isinstance(layer, keras.layers.BatchNormalization):
                frozen.update(variable.path for variable in layer.weights)
    chosen = [
        variable
        for variable in learned
        if variable.path not in frozen
        and (trainable_scopes is None or in_scopes(variable.path, trainable_scopes))
    ]
    if not chosen:
        batch_norm = f" and freeze_batch_norm={freeze_batch_norm}" if freeze_batch_norm else ""
        raise ValueError(
            f"trainable_scopes={trainable_scopes!r}{batch_norm} leave nothing to train"
        )
    _check_optimizer(model, chosen)
    paths = {variable.path for variable in chosen}
    set_learned(model, lambda variable: variable.path in paths)


def _check_scope(scope: str, paths: Sequence[str]) -> None:
    if any(in_scopes(path, [scope]) for path in paths):
        return
    known, siblings = "", paths
    for segment in scope.split("/"):
        # Suggest among the neighbours of the first segment that is wrong.
        deeper = f"{known}/{segment}" if known else segment
        below = [path for path in siblings if in_scopes(path, [deeper])]
        if not below:
            break
        known, siblings = deeper, below
    depth = known.count("/") + 2 if known else 1
    names = {"/".join(path.split("/")[:depth]) for path in siblings}
    raise ValueError(unknown_name("scope in trainable_scopes", scope, sorted(names)))


def _check_optimizer(model: keras.Model, chosen: Sequence[keras.Variable]) -> None:
    optimizer: Any = getattr(model, "optimizer", None)
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    if optimizer is None or not optimizer.built:
        return
    known = {variable.path for variable in optimizer._trainable_variables}
    if known != {variable.path for variable in chosen}:
        raise ValueError(
            f"the optimizer of network {model.name!r} was built for other variables: choose what "
            "is trained first, or compile the network again"
        )

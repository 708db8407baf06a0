"""The weights of timm's `nasnetalarge` and `pnasnet5large`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

import keras

from nasnet_keras.weights.assign import (
    LoadReport,
    StoredArray,
    assign_strictly,
    check_scopes,
    set_missing_aside,
)
from nasnet_keras.weights.safetensors_file import open_safetensors
from nasnet_keras.weights.slim_names import in_scopes, network_variables

_PICKLES = (".pth", ".pt")
TIMM_ENDINGS = (".safetensors", *_PICKLES)
"""How files that are read here, or refused with advice, end."""

_WORDS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
    "depthwise_kernel": "depthwise_conv2d.weight",
    "pointwise_kernel": "pointwise_conv2d.weight",
}
_CELL_LAYERS = {
    "1x1": "conv_1x1.conv",
    "beginning_bn": "conv_1x1.bn",
    "prev_1x1": "conv_prev_1x1.conv",
    "prev_bn": "conv_prev_1x1.bn",
}
_REDUCTION = {"path1_conv": "path_1.conv", "path2_conv": "path_2.conv"}
_BRANCH = re.compile(r"comb_iter_(\d)/(left|right)/(.+)")
_SEPARABLE = re.compile(r"(separable|bn_sep)_\dx\d_(\d)")
_PNASNET = "conv_0.conv.weight"


def load_timm_weights(
    model: keras.Model,
    path: str | os.PathLike[str],
    exclude_scopes: Sequence[str] = (),
    ignore_missing_vars: bool = False,
) -> LoadReport:
    """Sets a network's variables from a `.safetensors` file of timm.

    timm's weights were converted from slim's checkpoints, and this puts every array back where slim
    had it, strictly. PNASNet-5 large then gives timm's numbers. NASNet-A large gives slim's: timm's
    own strided average pools count the zeros that they pad with. `create_model("nasnet_large",
    padding="timm")` gives timm's numbers of it. Works on every backend, without PyTorch.

    Args:
        model: `nasnet_large` or `pnasnet_large`, with or without classifier; timm has 1,000
            classes.
        path: The file. A PyTorch pickle (`.pth`) is refused: reading one can run any program.
        exclude_scopes: Scopes that stay as they are in the model, e.g. `["final_layer", "aux_11"]`.
        ignore_missing_vars: Leaves variables of the model that the file does not have as they are;
            `missing` in the report lists them.

    Returns:
        What was set and what was left out.

    Raises:
        OSError: There is no such file.
        ValueError: The file is damaged or of another kind, or it does not fit the model: one line;
            nothing has changed.
        ImportError: safetensors is not installed.
    """
    source = os.fspath(path)
    if source.endswith(_PICKLES):
        raise ValueError(
            f"{source} is a PyTorch pickle, which can run any program when it is read; convert it "
            "where you trust it: safetensors.torch.save_file(torch.load('x.pth', "
            "weights_only=True), 'x.safetensors')"
        )
    with open_safetensors(path) as found:
        return _assign(model, source, found, exclude_scopes, ignore_missing_vars)


def _assign(
    model: keras.Model,
    source: str,
    found: Mapping[str, StoredArray],
    exclude_scopes: Sequence[str],
    ignore_missing_vars: bool,
) -> LoadReport:
    counters = [name for name in found if name.endswith("num_batches_tracked")]
    is_pnasnet = _PNASNET in found
    own = network_variables(model)
    names = {timm_name(path, is_pnasnet): path for path in own}
    # The classifier is the one part that the file alone may have.
    scopes = {"last_linear.weight": "final_layer/FC/kernel", "last_linear.bias": "final_layer/FC"}
    paths = {name: names.get(name, scopes.get(name, name)) for name in (*names, *found)}
    check_scopes(exclude_scopes, list(paths.values()))
    excluded = [name for name, path in paths.items() if in_scopes(path, exclude_scopes)]
    variables = {name: own[path] for name, path in names.items() if name not in excluded}
    arrays = {
        name: _as_ours(array, names.get(name, ""))
        for name, array in found.items()
        if name not in excluded and name not in counters
    }
    missing = []
    if ignore_missing_vars:
        missing = set_missing_aside(variables, arrays, source, model.name)
    parameters = assign_strictly(
        variables, arrays, source, model.name, lambda name: paths[name].split("/", 1)[0]
    )
    return LoadReport(
        source=source,
        assigned=tuple(names[name] for name in variables),
        parameters=parameters,
        kept=tuple(path for name, path in names.items() if name in excluded),
        missing=tuple(names[name] for name in missing),
        skipped=tuple(name for name in found if name in excluded),
        ignored=tuple(counters),
    )


def timm_name(path: str, is_pnasnet: bool) -> str:
    """Returns what timm calls a variable.

    Args:
        path: Its path, e.g. `"cell_0/comb_iter_0/left/bn_sep_5x5_1/gamma"`.
        is_pnasnet: Whether the network is timm's PNASNet, whose names differ in two places.

    Returns:
        E.g. `"cell_0.comb_iter_0_left.bn_sep_1.weight"`; the path itself where timm has no such
        layer.
    """
    scope, _, word = path.rpartition("/")
    layer = _timm_layer(scope, is_pnasnet)
    return path if layer is None or word not in _WORDS else f"{layer}.{_WORDS[word]}"


def _timm_layer(scope: str, is_pnasnet: bool) -> str | None:
    if scope in ("conv0", "conv0_bn"):
        stem = "conv_0" if is_pnasnet else "conv0"
        return f"{stem}.{'conv' if scope == 'conv0' else 'bn'}"
    if scope == "final_layer/FC":
        return "last_linear"
    cell, _, rest = scope.partition("/")
    if rest in _CELL_LAYERS:
        return f"{cell}.{_CELL_LAYERS[rest]}"
    if rest in _REDUCTION or rest == "final_path_bn":
        inside = "conv_prev_1x1." if is_pnasnet else ""
        return f"{cell}.{inside}{_REDUCTION.get(rest, rest)}"
    branch = _BRANCH.fullmatch(rest)
    if branch is None:
        return None
    number, side, layer = branch.groups()
    layer = {"1x1": "conv", "bn_1": "bn"}.get(layer) or _SEPARABLE.sub(r"\1_\2", layer)
    return f"{cell}.comb_iter_{number}_{side}.{layer}"


def _as_ours(array: StoredArray, path: str) -> StoredArray:
    """Turns PyTorch's layout of a kernel into Keras's."""
    if path.endswith("depthwise_kernel"):
        axes = (2, 3, 0, 1)
    else:
        axes = {4: (2, 3, 1, 0), 2: (1, 0)}.get(len(array.shape))
    if axes is None or len(axes) != len(array.shape):
        return array
    shape = tuple(array.shape[axis] for axis in axes)
    return StoredArray(shape, lambda: array.read().transpose(axes), array.is_float)

"""The weights of `keras.applications.NASNetMobile` and `NASNetLarge`: models and files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras

from nasnet_keras.weights.assign import (
    LoadReport,
    StoredArray,
    assign_strictly,
    check_scopes,
    first_line,
    set_missing_aside,
)
from nasnet_keras.weights.h5_file import open_h5
from nasnet_keras.weights.slim_names import CLASSIFIER_SCOPE, in_scopes, network_variables

_STAGES = 3
_KERAS3_GROUPS = ("layers/", "_layer_checkpoint_dependencies/")
_CELL = re.compile(r"(cell_stem|reduction_cell|cell)_(\d+)/(.+)")
_BRANCH = re.compile(r"comb_iter_(\d)/(left|right)/(separable|bn_sep)_\dx\d_([12])")
_FIXED = {"conv0": "stem_conv1", "conv0_bn": "stem_bn1", "final_layer/FC": "predictions"}
_ADJUST = {
    "prev_1x1": "adjust_conv_projection",
    "prev_bn": "adjust_bn",
    "path1_conv": "adjust_conv_1",
    "path2_conv": "adjust_conv_2",
    "final_path_bn": "adjust_bn",
}


def load_keras_applications_weights(
    model: keras.Model,
    source: keras.Model | str | os.PathLike[str],
    exclude_scopes: Sequence[str] = (),
    ignore_missing_vars: bool = False,
) -> LoadReport:
    """Sets a NASNet-A network's variables from those of `keras.applications`.

    Keras's ImageNet files were converted from slim's checkpoints, and this puts every array back
    where slim had it. The outputs of the two models differ all the same, most near the border:
    before a stride-2 pool `keras.applications` pads with zeros, which then enter the mean and may
    win the maximum; here, as in the code that trained the weights, padding is not counted.

    Strict in both directions: if a variable is missing or left over or has another shape, nothing
    in the model changes. Works on every backend.

    Args:
        model: A NASNet-A network of this package with the ImageNet stem, of any input size, with
            or without classifier.
        source: A `keras.applications` model; or a file: `.weights.h5` or `.keras` of such a model,
            or a legacy `.h5` such as Keras publishes.
        exclude_scopes: Scopes that stay as they are in the model: `["final_layer"]` for another
            number of classes, or where only one of the two has a classifier.
        ignore_missing_vars: Leaves variables of the model that the source does not have as they
            are; `missing` in the report lists them.

    Returns:
        What was set and what was left out.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or of another kind, or it does not fit the model: one line
            with the number of variables missing, left over and of another shape, and the first ten
            of each.
    """
    with _open_source(source) as (name, arrays):
        plan = _plan(model, arrays, exclude_scopes)
        is_legacy = name.endswith((".h5", ".hdf5")) and not name.endswith(".weights.h5")
        if not is_legacy or not plan.renamed:
            return _load(model, arrays, name, plan, ignore_missing_vars)
    # Keras itself loads these files by order; it knows what the old names stand for.
    arrays = _arrays_of_model(_read_with_keras(name))
    plan = _plan(model, arrays, exclude_scopes)
    return _load(model, arrays, name, plan, ignore_missing_vars)


def is_keras_application(model: keras.Model) -> bool:
    """Returns whether a model is a NASNet of `keras.applications`, by what its stem is called."""
    return any(layer.name == _FIXED["conv0"] for layer in model.layers)


def keras_layer_name(scope: str, cells_per_stage: int) -> str | None:
    """Returns the name in `keras.applications.nasnet` of the layer that slim has at a scope.

    Keras numbers the cells of all three stages in one row that leaves out the number of the first
    reduction only: with four cells a stage, `0..3`, `reduce_4`, `5..8`, `reduce_8`, `9..12`.

    Args:
        scope: A layer's path, e.g. `"cell_4/comb_iter_0/left/separable_5x5_1"`.
        cells_per_stage: Number of normal cells between reductions.

    Returns:
        E.g. `"separable_conv_1_normal_left1_5"`; `None` where Keras has no such layer.
    """
    if scope in _FIXED:
        return _FIXED[scope]
    cell = _CELL.fullmatch(scope)
    if cell is None:
        return None
    family, place, rest = cell.groups()
    number = int(place)
    if family == "cell":
        kind, block_id = "normal", str(number + (number >= cells_per_stage))
    elif family == "cell_stem":
        kind, block_id = "reduction", f"stem_{number + 1}"
    else:
        kind, block_id = "reduction", f"reduce_{(number + 1) * cells_per_stage}"
    if rest in _ADJUST:
        return f"{_ADJUST[rest]}_{block_id}"
    if rest in ("1x1", "beginning_bn"):
        return f"{kind}_{'conv' if rest == '1x1' else 'bn'}_1_{block_id}"
    branch = _BRANCH.fullmatch(rest)
    if branch is None:
        return None
    comb_iter, side, layer, repeat = branch.groups()
    block = int(comb_iter) + 1
    if kind == "reduction" and block == 5:
        block = 4  # Keras calls the fifth block's convolution `reduction_left4`.
    repeat += "_bn" if layer == "bn_sep" else ""
    return f"separable_conv_{repeat}_{kind}_{side}{block}_{block_id}"


@dataclass(frozen=True)
class _Plan:
    """What goes where; names are Keras's `<layer>/<word>`.

    Attributes:
        paths: Path in our model by name; the names in the source are among them.
        wanted: Names of the model's variables that are to be set.
        given: Names in the source that are to be read.
    """

    paths: Mapping[str, str]
    wanted: Sequence[str]
    given: Sequence[str]

    @property
    def renamed(self) -> bool:
        """Whether as many arrays are there as are wanted, all under other names."""
        return len(self.wanted) == len(self.given) and not set(self.wanted) & set(self.given)


def _plan(
    model: keras.Model, arrays: Mapping[str, StoredArray], exclude_scopes: Sequence[str]
) -> _Plan:
    own = network_variables(model)
    cells = {path.split("/", 1)[0] for path in own if re.match(r"cell_\d+/", path)}
    per_stage = max(1, len(cells) // _STAGES)
    names: list[str] = []
    for path in own:
        scope, _, word = path.rpartition("/")
        layer = keras_layer_name(scope, per_stage)
        names.append(path if layer is None else f"{layer}/{word}")
    paths = {name: name for name in arrays}
    # The classifier is the one part that the source alone may have.
    for word in ("kernel", "bias"):
        paths[f"predictions/{word}"] = f"{CLASSIFIER_SCOPE}/FC/{word}"
    paths.update(zip(names, own, strict=True))
    check_scopes(exclude_scopes, list(paths.values()))
    return _Plan(
        paths,
        [name for name in names if not in_scopes(paths[name], exclude_scopes)],
        [name for name in arrays if not in_scopes(paths[name], exclude_scopes)],
    )


def _load(
    model: keras.Model,
    arrays: Mapping[str, StoredArray],
    source: str,
    plan: _Plan,
    ignore_missing_vars: bool,
) -> LoadReport:
    own = network_variables(model)
    variables = {name: own[plan.paths[name]] for name in plan.wanted}
    given = {name: arrays[name] for name in plan.given}
    missing = []
    if ignore_missing_vars:
        missing = set_missing_aside(variables, given, source, model.name)
    parameters = assign_strictly(
        variables,
        given,
        source,
        model.name,
        lambda name: plan.paths[name].split("/", 1)[0],
    )
    wanted = {plan.paths[name] for name in plan.wanted}
    return LoadReport(
        source=source,
        assigned=tuple(plan.paths[name] for name in variables),
        parameters=parameters,
        kept=tuple(path for path in own if path not in wanted),
        missing=tuple(plan.paths[name] for name in missing),
        skipped=tuple(name for name in arrays if name not in plan.given),
    )


@contextmanager
def _open_source(
    source: keras.Model | str | os.PathLike[str],
) -> Iterator[tuple[str, dict[str, StoredArray]]]:
    """Yields how to call the source, and its arrays as `{"<layer>/<word>": array}`."""
    if not isinstance(source, (str, os.PathLike)):
        yield f"model {source.name!r}", _arrays_of_model(source)
        return
    path = os.fspath(source)
    if path.endswith(".keras"):
        from nasnet_keras.weights.keras_files import load_keras_model

        yield path, _arrays_of_model(load_keras_model(path))
        return
    with open_h5(path) as stored:
        by_layer = not any(name.startswith(_KERAS3_GROUPS) for name in stored)
        if by_layer:
            yield path, _arrays_of_legacy_file(stored)
    if not by_layer:
        # That format numbers the layers of a class; only Keras knows which is which.
        yield path, _arrays_of_model(_read_with_keras(path))


def _arrays_of_model(model: keras.Model) -> dict[str, StoredArray]:
    def stored(variable: Any) -> StoredArray:
        return StoredArray(
            tuple(variable.shape), lambda: keras.ops.convert_to_numpy(variable.value)
        )

    return {
        f"{layer.name}/{weight.path.rsplit('/', 1)[-1]}": stored(weight)
        for layer in model.layers
        for weight in layer.weights
    }


def _arrays_of_legacy_file(stored: Mapping[str, StoredArray]) -> dict[str, StoredArray]:
    """Renames `[model_weights/]<layer>/.../<word>:0`, Keras 2's layout."""
    arrays = {}
    for name, array in stored.items():
        if name.startswith("optimizer_weights/"):
            continue
        parts = name.removeprefix("model_weights/").split("/")
        # A name that Keras 2 made unique ends in `_<number>`.
        word = re.sub(r"(_\d+)?(:\d+)?$", "", parts[-1])
        arrays[f"{parts[0]}/{word}"] = array
    return arrays


def _read_with_keras(path: str) -> keras.Model:
    """Builds the `keras.applications` model that a file was saved from and loads it."""
    with open_h5(path) as stored:
        shapes = [array.shape for array in stored.values()]
    stems = {shape[-1] for shape in shapes if len(shape) == 4 and shape[:3] == (3, 3, 3)}
    dense = [shape for shape in shapes if len(shape) == 2]
    builders = {
        32: (keras.applications.NASNetMobile, 224),
        96: (keras.applications.NASNetLarge, 331),
    }
    builder, size = builders.get(stems.pop() if len(stems) == 1 else 0, (None, 0))
    if builder is None or len(dense) > 1:
        raise ValueError(f"{path} holds neither keras.applications.NASNetMobile nor NASNetLarge")
    source = builder(
        input_shape=(size, size, 3),
        include_top=bool(dense),
        weights=None,
        classes=dense[0][-1] if dense else 1000,
        classifier_activation=None,
    )
    try:
        source.load_weights(path)
    except Exception as error:
        reason = first_line(error)
        raise ValueError(
            f"{path} does not fit keras.applications.{builder.__name__}: {reason}"
        ) from error
    return source

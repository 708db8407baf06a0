"""Where does the time of a training step go, and of inference?

The framework's own profiler says when each operation ran. Each belongs to a kind; an instant in
which several run is divided between them equally, and one in which none runs is the host's, so
that the kinds add up to the step. Beside each kind stands its bound: the time that multiply-adds
take at the rate of matrix products, or bytes at the memory's bandwidth, whichever is longer, both
rates measured in the same run. What the caches hold, and the bound takes for memory, may be faster.

The step is the trainer's own: objective with auxiliary head, drop path, L2, clipping and moving
averages as the recipe says, but for reading images: it trains on one random batch again and again.

    python benchmarks/profile_step.py [--network=nasnet_mobile] [--batch_size=8]
        [--backend=tensorflow|jax] [--device=cpu] [--precision=float32] [--steps=5]
        [--filters=12 --num_cells=3 --image_size=64] [--json=profile.json]
"""

from __future__ import annotations

import gc
import os
from typing import TYPE_CHECKING, Any

from absl import flags
from measurement import check_output, use_device, write_json

from nasnet_keras.programs.command_line import run

if TYPE_CHECKING:
    from nasnet_keras.classification.recipe import Recipe

Row = dict[str, Any]
RECIPES = {
    "nasnet_mobile": "nasnet_mobile_imagenet",
    "nasnet_large": "nasnet_large_imagenet",
    "nasnet_cifar": "nasnet_cifar",
    "pnasnet_mobile": "pnasnet_mobile_imagenet",
    "pnasnet_large": "pnasnet_large_imagenet",
    "pnasnet_cifar": "pnasnet_cifar",
}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")

_NETWORK = flags.DEFINE_enum("network", "nasnet_mobile", list(RECIPES), "Whose recipe's step.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 8, "Images in a step.", lower_bound=1)
_BACKEND = flags.DEFINE_enum("backend", None, ["tensorflow", "jax"], "Default: Keras's setting.")
_DEVICE = flags.DEFINE_enum("device", "cpu", ["cpu", "gpu"], "Where to run.")
_PRECISION = flags.DEFINE_enum("precision", "float32", PRECISIONS, "Keras's dtype policy.")
_STEPS = flags.DEFINE_integer("steps", 5, "Steps that are profiled.", lower_bound=1)
_FILTERS = flags.DEFINE_integer("filters", None, "Filters of the first cells; the network's own.")
_NUM_CELLS = flags.DEFINE_integer("num_cells", None, "Normal cells; the network's own.")
_IMAGE_SIZE = flags.DEFINE_integer("image_size", None, "Side of an image; the recipe's own.")
_JSON = flags.DEFINE_string("json", None, "JSON file to write.")


def main(_: list[str]) -> None:
    check_output(_JSON.value)
    if _BACKEND.value:
        # Read when Keras is imported, which the functions below do.
        os.environ["KERAS_BACKEND"] = _BACKEND.value
    use_device(_DEVICE.value)
    from nasnet_keras.classification.recipes import get_recipe
    from nasnet_keras.models import get_preset

    changes = {
        "filters": _FILTERS.value,
        "num_cells": _NUM_CELLS.value,
        "train_image_size": _IMAGE_SIZE.value,
    }
    recipe = get_recipe(RECIPES[_NETWORK.value]).override(
        precision=_PRECISION.value,
        **{name: value for name, value in changes.items() if value is not None},
    )
    classes = get_preset(recipe.model_name).classes
    rows = profile(recipe, classes, _BATCH_SIZE.value, _STEPS.value, large=_DEVICE.value == "gpu")
    for line in markdown(rows):
        print(line)
    if _JSON.value:
        settings = {
            "network": _NETWORK.value,
            "size": recipe.train_image_size,
            "batch": _BATCH_SIZE.value,
            "precision": _PRECISION.value,
            "device": _DEVICE.value,
            "filters": _FILTERS.value,
            "num_cells": _NUM_CELLS.value,
        }
        write_json(_JSON.value, [settings | row for row in rows])


def profile(recipe: Recipe, classes: int, batch: int, steps: int, large: bool) -> list[Row]:
    """Profiles training and inference of a recipe's network.

    Args:
        recipe: The recipe.
        classes: Number of classes.
        batch: Images in a step.
        steps: Steps that are profiled.
        large: Measure the device's rates with sizes for an accelerator.

    Returns:
        A row for each kind of operation in either, the most time first, and one for all.
    """
    from profiling.rates import measure_rates
    from recipe_step import compiled_network, random_batch

    dtype = {"float32": "float32", "mixed_float16": "float16"}.get(recipe.precision, "bfloat16")
    rates = measure_rates(8192 if large else 2048, 2**30 if large else 2**28, dtype)
    model = compiled_network(recipe, classes)
    data = random_batch(recipe, classes, batch)
    rows = []
    for work, make in (("training", training), ("inference", inference)):
        program = make(model, data)
        rows += profiled(program, work, steps, rates)
        del program
        gc.collect()
    return rows


def training(model: Any, data: Any) -> Any:
    """Returns a step of training as a program of the backend."""
    import keras

    if keras.backend.backend() == "tensorflow":
        from profiling.tensorflow_program import TensorFlowProgram

        return TensorFlowProgram(model, model.train_step, data)
    from profiling.jax_program import JaxProgram

    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    state = tuple([variable.value for variable in each] for each in variables)

    def step(state: Any, data: Any) -> Any:
        return model.train_step(state, (*data, None))

    return JaxProgram(model, step, state, data)


def inference(model: Any, data: Any) -> Any:
    """Returns the way from images to probabilities as a program of the backend."""
    import keras

    from nasnet_keras.models.inference import inference_model

    predictor = inference_model(model)
    images = data[0]
    if keras.backend.backend() == "tensorflow":
        from profiling.tensorflow_program import TensorFlowProgram

        return TensorFlowProgram(model, lambda images: predictor(images, training=False), images)
    from profiling.jax_program import JaxProgram

    variables = (predictor.trainable_variables, predictor.non_trainable_variables)
    state = tuple([variable.value for variable in each] for each in variables)

    def predict(state: Any, images: Any) -> Any:
        outputs, _ = predictor.stateless_call(*state, images, training=False)
        # The weights stay as they are, and are given to the next call.
        return outputs, state

    return JaxProgram(model, predict, state, images)


def profiled(program: Any, work: str, steps: int, rates: dict[str, float]) -> list[Row]:
    """Returns the rows of a program."""
    from profiling.kinds import HOST
    from profiling.timeline import record, time_by_name

    for _ in range(2):
        program.step()
    seconds: dict[str, float] = {}
    for name, time in time_by_name(record(program.step, steps), HOST).items():
        for kind, fraction in program.kinds(name).items() if name != HOST else [(HOST, 1.0)]:
            seconds[kind] = seconds.get(kind, 0.0) + time * fraction
    total = sum(seconds.values())
    costs = program.costs()
    rows: list[Row] = []
    for kind in sorted({*seconds, *costs}, key=lambda kind: -seconds.get(kind, 0.0)):
        cost = costs[kind]
        rows.append(
            {
                "work": work,
                "kind": kind,
                "operations": cost.operations,
                "seconds": seconds.get(kind, 0.0),
                "fraction": seconds.get(kind, 0.0) / total,
                "flops": cost.flops,
                "accessed_bytes": cost.accessed_bytes,
                "bound_seconds": cost.seconds(rates),
            }
        )
    sums = ("operations", "seconds", "fraction", "flops", "accessed_bytes", "bound_seconds")
    whole = {name: sum(row[name] for row in rows) for name in sums}
    return [*rows, {"work": work, "kind": "all", **whole, "rates": rates}]


def markdown(rows: list[Row]) -> list[str]:
    rates = rows[-1]["rates"]
    gemm, bandwidth = rates["gemm"] / 1e9, rates["bandwidth"] / 1e9
    lines = [
        f"GEMM rate {gemm:.0f} GFLOP/s, bandwidth {bandwidth:.1f} GB/s",
        "",
        "| work | kind | operations | ms | fraction | GFLOP | MB | bound (ms) | bound / time |",
        "|---|---|" + "---:|" * 7,
    ]
    for row in rows:
        seconds, bound = row["seconds"], row["bound_seconds"]
        cells = (
            row["work"],
            row["kind"],
            str(row["operations"]),
            f"{seconds * 1e3:.2f}",
            f"{row['fraction']:.1%}",
            f"{row['flops'] / 1e9:.2f}",
            f"{row['accessed_bytes'] / 1e6:.1f}",
            f"{bound * 1e3:.2f}",
            f"{bound / seconds:.2f}" if seconds and bound else "-",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    run(main)

"""How fast does a network train, beside keras.applications'?

Both sides train in one process with `fit`, in blocks in turns (A B A B), so that a busy machine
slows both; the ratio is the median over rounds, with its quartiles. Ours trains as its recipe says:
objective with L2 and label smoothing, drop path, clipping, moving averages of the weights; without
the auxiliary head and with it. Theirs has no such head and trains with plain cross-entropy and
Keras's optimizer of the same kind; "the same step" is ours with no more than that, neither L2 nor
clipping nor moving averages. Images are random.
keras.applications has no network for CIFAR: `nasnet_cifar` is measured alone.

Processor seconds are the process's own on all cores: where other programs take a share of the
machine, they say more than the clock.

    python benchmarks/training_throughput.py [--networks=nasnet_mobile,nasnet_cifar]
        [--batch_size=16] [--precision=float32] [--jit_compile] [--steps=4] [--rounds=7]
        [--filters=16] [--device=cpu] [--json=throughput.json]
    KERAS_BACKEND=jax python benchmarks/training_throughput.py --device=gpu --batch_size=128
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from absl import flags
from measurement import check_output, use_device, write_json

import nasnet_keras as nk
from nasnet_keras.classification.recipe import Recipe
from nasnet_keras.programs.command_line import run
from nasnet_keras.text.suggestions import unknown_name

# Recipe of each network; keras.applications' counterpart and its classes.
NETWORKS = {
    "nasnet_mobile": ("nasnet_mobile_imagenet", "NASNetMobile", 1000),
    "nasnet_cifar": ("nasnet_cifar", None, 10),
}
PRECISIONS = ("float32", "mixed_bfloat16", "mixed_float16")
OURS, AUXILIARY, KERAS = "ours", "ours, auxiliary head", "keras.applications"
SAME_STEP = "ours, the same step"
_PLAIN: dict[str, Any] = {
    "weight_decay": 0.0,
    "gradient_clip_norm": None,
    "moving_average_decay": 0.0,
}

_NETWORKS = flags.DEFINE_list("networks", list(NETWORKS), "Networks to train.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 16, "Images in a step.", lower_bound=1)
_PRECISION = flags.DEFINE_enum("precision", "float32", PRECISIONS, "Keras's dtype policy.")
_JIT = flags.DEFINE_boolean("jit_compile", False, "Compile with XLA; JAX always does.")
_STEPS = flags.DEFINE_integer("steps", 4, "Steps in a block.", lower_bound=1)
_ROUNDS = flags.DEFINE_integer("rounds", 7, "Blocks of each side.", lower_bound=2)
_FILTERS = flags.DEFINE_integer("filters", None, "Filters of our first cells; the network's own.")
_AUXILIARY = flags.DEFINE_boolean("auxiliary_head", True, "Measure ours with the head too.")
_REMATERIALIZE = flags.DEFINE_boolean("rematerialize", False, "Ours computes cells anew.")
_DEVICE = flags.DEFINE_enum("device", "cpu", ["cpu", "gpu"], "Where to train.")
_JSON = flags.DEFINE_string("json", None, "JSON file to write.")


def main(_: list[str]) -> None:
    check_output(_JSON.value)
    for name in _NETWORKS.value:
        if name not in NETWORKS:
            raise ValueError(unknown_name("network", name, NETWORKS))
    use_device(_DEVICE.value)
    import keras

    keras.config.set_dtype_policy(_PRECISION.value)
    rows = [row for name in _NETWORKS.value for row in measure(name)]
    for line in markdown(rows):
        print(line)
    if _JSON.value:
        write_json(_JSON.value, rows)


def measure(name: str) -> list[dict[str, Any]]:
    """Trains every side of a network in turns."""
    import keras

    from nasnet_keras.classification.recipes import get_recipe

    recipe_name, counterpart, classes = NETWORKS[name]
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    recipe = get_recipe(recipe_name)
    blocks: dict[str, Callable[[], None]] = {OURS: our_block(recipe, classes, False)}
    if counterpart and _FILTERS.value is None:
        blocks[SAME_STEP] = our_block(recipe.override(**_PLAIN), classes, False)
        blocks[KERAS] = keras_block(counterpart, recipe, classes)
    if _AUXILIARY.value:
        blocks[AUXILIARY] = our_block(recipe, classes, True)
    first, seconds, processor = {}, {}, {}
    for side, block in blocks.items():
        start = time.perf_counter()
        block()
        first[side] = time.perf_counter() - start
        seconds[side], processor[side] = [], []
        block()  # Allocators settle.
    for _ in range(_ROUNDS.value):
        for side, block in blocks.items():
            start, processor_start = time.perf_counter(), time.process_time()
            block()
            seconds[side].append((time.perf_counter() - start) / _STEPS.value)
            processor[side].append((time.process_time() - processor_start) / _STEPS.value)
    return [
        {
            "network": name,
            "side": side,
            "size": recipe.train_image_size,
            "batch": _BATCH_SIZE.value,
            "precision": _PRECISION.value,
            "jit_compile": _JIT.value or keras.backend.backend() == "jax",
            "rematerialized": _REMATERIALIZE.value and side != KERAS,
            "filters": _FILTERS.value,
            "device": _DEVICE.value,
            "first_block_seconds": first[side],
            "step_seconds": statistics.median(times),
            "images_per_second": _BATCH_SIZE.value / statistics.median(times),
            "processor_seconds": statistics.median(processor[side]),
            "times_keras": ratio(seconds.get(KERAS), times),
            "times_keras_processor": ratio(processor.get(KERAS), processor[side]),
        }
        for side, times in seconds.items()
    ]


def ratio(theirs: list[float] | None, ours: list[float]) -> list[float] | None:
    """Returns median and quartiles of the rounds' ratios of speed; above 1, ours is faster."""
    if theirs is None:
        return None
    ratios = [their / our for their, our in zip(theirs, ours, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return [middle, low, high]


def our_block(recipe: Recipe, classes: int, auxiliary: bool) -> Callable[[], None]:
    """Returns a function that trains our network for a block of steps."""
    import keras

    from nasnet_keras.classification.objective import LOGITS, add_weight_decay, cross_entropies
    from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer

    total_steps = recipe.total_steps(1000)
    overrides: dict[str, Any] = {"rematerialize": _REMATERIALIZE.value}
    if _FILTERS.value is not None:
        overrides["filters"] = _FILTERS.value
    config = nk.get_preset(recipe.model_name).config.replace(
        **recipe.network_overrides(), drop_path_total_steps=total_steps, **overrides
    )
    size = recipe.train_image_size
    model = nk.build_network(config, classes, (size, size, 3), auxiliary_head=auxiliary)
    if not auxiliary:
        logits = keras.layers.Activation("linear", dtype="float32")(nk.endpoints(model)["Logits"])
        model = keras.Model(model.input, {LOGITS: logits})
    losses, weights = cross_entropies(recipe.auxiliary_weight * auxiliary, recipe.label_smoothing)
    optimizer = make_optimizer(recipe, make_learning_rate(recipe, total_steps, 1000))
    model.compile(optimizer, loss=losses, loss_weights=weights, jit_compile=_JIT.value)
    add_weight_decay(model, recipe.weight_decay)
    return block(model, size, classes, list(losses))


def keras_block(counterpart: str, recipe: Recipe, classes: int) -> Callable[[], None]:
    """Returns a function that trains keras.applications' network for a block of steps."""
    import keras

    model = getattr(keras.applications, counterpart)(weights=None, classes=classes)
    optimizer = keras.optimizers.RMSprop(
        recipe.learning_rate,
        rho=recipe.rmsprop_decay,
        momentum=recipe.rmsprop_momentum,
        epsilon=recipe.opt_epsilon,
    )
    model.compile(optimizer, loss="categorical_crossentropy", jit_compile=_JIT.value)
    return block(model, recipe.train_image_size, classes, None)


def block(model: Any, size: int, classes: int, outputs: list[str] | None) -> Callable[[], None]:
    """Returns a function that trains for a block of steps on one random batch, again and again."""
    import keras
    import numpy as np

    count = _BATCH_SIZE.value
    images = np.random.default_rng(0).uniform(-1, 1, (count, size, size, 3)).astype("float32")
    labels = np.eye(classes, dtype="float32")[np.arange(count) % classes]
    batch = images, dict.fromkeys(outputs, labels) if outputs else labels

    class Repeated(keras.utils.PyDataset):
        def __len__(self) -> int:
            return _STEPS.value

        def __getitem__(self, index: int) -> Any:
            return batch

    data = Repeated()

    def train() -> None:
        model.fit(data, shuffle=False, verbose=0)
        # The step's work may still run on a device: its result is there when this is.
        int(model.optimizer.iterations)
        keras.ops.convert_to_numpy(model.trainable_weights[0])

    return train


def markdown(rows: list[dict[str, Any]]) -> list[str]:
    headings = (
        "side",
        "network",
        "batch",
        "images/s",
        "s a step",
        "processor s a step",
        "times keras.applications (quartiles)",
        "by processor time",
        "first block (s)",
    )
    lines = ["| " + " | ".join(headings) + " |", "|" + "---|" * 2 + "---:|" * (len(headings) - 2)]
    for row in rows:
        ratios = [
            "-" if x is None else f"{x[0]:.2f} ({x[1]:.2f} to {x[2]:.2f})"
            for x in (row["times_keras"], row["times_keras_processor"])
        ]
        cells = (
            row["side"],
            row["network"],
            str(row["batch"]),
            f"{row['images_per_second']:.1f}",
            f"{row['step_seconds']:.3f}",
            f"{row['processor_seconds']:.3f}",
            *ratios,
            f"{row['first_block_seconds']:.0f}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


if __name__ == "__main__":
    run(main)

"""How much memory does a training step take, with and without rematerialization?

Runs two training steps of each recipe at its own batch, image size, optimizer and auxiliary head,
each in a process of its own, and prints that process's largest resident memory, framework and
tracing included. A process that reaches `--limit_gib`, or leaves the machine less than 1.5 GiB,
ends itself; its row says so. Linux only.

    python benchmarks/peak_memory.py [--recipes=nasnet_large_imagenet] [--batch_sizes=4,16]
        [--rematerialize=no,yes] [--limit_gib=17] [--output=memory.json]
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from absl import flags
from measurement import check_output, print_table, rounded, write_json

from nasnet_keras.programs.command_line import run
from nasnet_keras.text.suggestions import unknown_name

_RECIPES = flags.DEFINE_list("recipes", [], "Recipes to measure; all by default.")
_BATCH_SIZES = flags.DEFINE_list("batch_sizes", [], "Images in a step; each recipe's by default.")
_REMATERIALIZE = flags.DEFINE_list("rematerialize", ["no", "yes"], "no, yes or both.")
_LIMIT = flags.DEFINE_float("limit_gib", 17.0, "Memory at which a process ends itself, in GiB.")
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_CHILD = flags.DEFINE_string("measure", None, "Measure this one (JSON) in this process.")

_OVER_LIMIT = 3
_GIB = 1024 * 1024  # In the kibibytes of getrusage.


def main(_: list[str]) -> None:
    from nasnet_keras.classification.recipes import get_recipe, list_recipes

    if _CHILD.value:
        measure_here(**json.loads(_CHILD.value))
        return
    check_output(_OUTPUT.value)
    for value in _REMATERIALIZE.value:
        if value not in ("no", "yes"):
            raise ValueError(unknown_name("rematerialization", value, ["no", "yes"]))
    rows = []
    for name in _RECIPES.value or list_recipes():
        recipe = get_recipe(name)
        for batch in map(int, _BATCH_SIZES.value or [recipe.batch_size]):
            for value in _REMATERIALIZE.value:
                rows.append(measure(name, batch, value == "yes"))
                print(json.dumps(rows[-1]), file=sys.stderr)
                if _OUTPUT.value:
                    write_json(_OUTPUT.value, rows)
    print_table(rows, rounded(2))


def measure(recipe: str, batch: int, rematerialize: bool) -> dict[str, Any]:
    """Measures one case in a process of its own."""
    case = {"recipe": recipe, "batch": batch, "rematerialize": rematerialize}
    command = [sys.executable, __file__, f"--measure={json.dumps(case)}"]
    done = subprocess.run(
        [*command, f"--limit_gib={_LIMIT.value}"], stdout=subprocess.PIPE, text=True
    )
    if done.returncode not in (0, _OVER_LIMIT):
        raise RuntimeError(f"{case} ended with status {done.returncode}")
    found = json.loads(done.stdout.splitlines()[-1])
    return {
        "recipe": recipe,
        "size": found["size"],
        "batch": batch,
        "rematerialized": "yes" if rematerialize else "no",
        "before the step (GiB)": found["before"],
        "peak (GiB)": found["peak"],
        "seconds of the second step": found["seconds"],
        "outcome": "above the limit, ended" if done.returncode else "trained",
    }


def peak_gib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _GIB


def available_gib() -> float:
    """Returns the memory that the machine has left; others may need it too."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / _GIB


def measure_here(recipe: str, batch: int, rematerialize: bool) -> None:
    """Trains two steps and prints the peak as JSON; ends the process above the limit."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    found: dict[str, Any] = {"size": 0, "before": 0.0, "seconds": 0.0, "peak": 0.0}

    def watch() -> None:
        while peak_gib() < _LIMIT.value and available_gib() > 1.5:
            time.sleep(0.05)
        print(json.dumps({**found, "peak": peak_gib()}), flush=True)
        os._exit(_OVER_LIMIT)

    threading.Thread(target=watch, daemon=True).start()
    import numpy as np

    from nasnet_keras.classification.recipes import get_recipe

    settings = get_recipe(recipe)
    size, classes = settings.train_image_size, 1000 if "imagenet" in settings.dataset_name else 10
    model, losses = compiled_network(settings, classes, rematerialize)
    images = np.random.default_rng(0).uniform(-1, 1, (batch, size, size, 3)).astype("float32")
    labels = np.eye(classes, dtype="float32")[np.arange(batch) % classes]
    found |= {"size": size, "before": peak_gib()}
    for _ in range(2):
        start = time.perf_counter()
        loss = model.train_on_batch(images, dict.fromkeys(losses, labels), return_dict=True)["loss"]
        found["seconds"] = time.perf_counter() - start
    if not np.isfinite(loss):
        raise RuntimeError(f"{recipe} has the loss {loss}")
    print(json.dumps({**found, "peak": peak_gib()}), flush=True)


def compiled_network(recipe: Any, classes: int, rematerialize: bool) -> tuple[Any, dict[str, Any]]:
    """Returns the recipe's network, compiled as for training but without XLA, and its losses."""
    import keras

    import nasnet_keras as nk
    from nasnet_keras.classification.objective import LOGITS, add_weight_decay, cross_entropies
    from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer

    config = nk.get_preset(recipe.model_name).config.replace(
        **recipe.network_overrides(),
        drop_path_total_steps=recipe.total_steps(1000),
        rematerialize=rematerialize,
    )
    size, auxiliary = recipe.train_image_size, recipe.auxiliary_weight > 0
    model = nk.build_network(config, classes, (size, size, 3), auxiliary_head=auxiliary)
    if not auxiliary:
        model = keras.Model(model.input, {LOGITS: nk.endpoints(model)["Logits"]})
    losses, weights = cross_entropies(recipe.auxiliary_weight, recipe.label_smoothing)
    rate = make_learning_rate(recipe, recipe.total_steps(1000), 1000)
    model.compile(
        make_optimizer(recipe, rate), loss=losses, loss_weights=weights, jit_compile=False
    )
    add_weight_decay(model, recipe.weight_decay)
    return model, losses


if __name__ == "__main__":
    run(main)

"""Do the networks have the parameters and multiply-adds that their papers report?

Prints one row a published network: the paper's figure, ours from closed forms, ours from the built
model, the difference. ImageNet networks are counted with 1000 classes and without the auxiliary
head, as in the papers. A figure that does not come out is shown with what is known of it.

    python benchmarks/published_counts.py [--nobuilt] [--models='pnasnet*'] [--output=counts.json]
"""

from __future__ import annotations

import gc
import math
import sys
import time
from typing import Any

from absl import flags
from measurement import check_output, write_json
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

import nasnet_keras as nk
from nasnet_keras.programs.command_line import run

_BUILT = flags.DEFINE_bool("built", True, "Build every model too and count its variables.")
_MODELS = flags.DEFINE_string("models", "*", "Shell-style pattern of the networks to count.")
_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")

# What is known of a mismatch; shown only where there is one.
_CLOSEST = "closest of the three stage layouts, the paper names none"
_NOTES = {
    "nasnet_cifar_7_2304": "not reproduced by any rule tried",
    "nasnet_b_cifar": f"{_CLOSEST}; nor how B's states go on",
    "nasnet_b_mobile": "the paper does not say what B's classifier reads",
    "nasnet_c_cifar": _CLOSEST,
    "nasnet_c_mobile": _CLOSEST,
    "pnasnet_mobile": "slim's rules give this",
    "pnasnet_large": "slim's rules give this",
    "amoebanet_c_mobile": "not reproduced by any rule tried",
    "amoebanet_b_large": "not reproduced by any rule tried",
}


def main(_: list[str]) -> int:
    check_output(_OUTPUT.value)
    names = nk.list_models(_MODELS.value)
    if not names:
        raise ValueError(f"--models={_MODELS.value}: no network has such a name")

    progress = track(names, "Counting", console=Console(stderr=True), transient=True)
    rows = [count(name, _BUILT.value) for name in progress]
    # Markdown, so that a page of results is this very output; wide where it is not a terminal.
    console = Console(width=None if sys.stdout.isatty() else 400)
    console.print(make_table(rows))
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)
    return 1 if any(row["built_agrees"] is False for row in rows) else 0


def count(name: str, built: bool) -> dict[str, Any]:
    """Counts one network; parameters and multiply-adds in ones, published ones in millions."""
    preset = nk.get_preset(name)
    published = preset.published
    classes = 1000 if preset.is_imagenet else preset.classes
    start = time.perf_counter()
    trainable = nk.count_parameters(name, classes, trainable_only=True)
    total = nk.count_parameters(name, classes)
    multiply_adds = nk.count_multiply_adds(name, classes=classes)
    milliseconds = (time.perf_counter() - start) * 1000 / 3
    row: dict[str, Any] = {
        "network": name,
        "classes": classes,
        "image_size": preset.image_size,
        "published_parameters_millions": published.parameters,
        "trainable": trainable,
        "total": total,
        "published_multiply_adds_millions": published.multiply_adds,
        "multiply_adds": multiply_adds,
        "milliseconds_per_count": round(milliseconds, 2),
        "built_trainable": None,
        "built_total": None,
        "built_agrees": None,
    }
    if built:
        row["built_trainable"], row["built_total"] = count_built(name, classes)
        row["built_agrees"] = (row["built_trainable"], row["built_total"]) == (trainable, total)
    row["note"] = explain(row)
    return row


def count_built(name: str, classes: int) -> tuple[int, int]:
    """Counts the variables of the built model: trainable, all."""
    import keras

    model = nk.create_model(name, classes=classes)
    total = model.count_params()
    frozen = sum(math.prod(weight.shape) for weight in model.non_trainable_weights)
    del model
    # The largest holds over 600 MB of weights.
    keras.utils.clear_session(free_memory=True)
    gc.collect()
    return total - frozen, total


def explain(row: dict[str, Any]) -> str:
    """Says which published figures do not come out, to the digits that are printed."""
    problems = []
    parameters = row["published_parameters_millions"]
    # The papers do not say whether BN's statistics are among the parameters: either may match.
    if parameters and parameters not in (
        round(row["trainable"] / 1e6, 1),
        round(row["total"] / 1e6, 1),
    ):
        problems.append("parameters")
    multiply_adds = row["published_multiply_adds_millions"]
    if multiply_adds and float(f"{row['multiply_adds'] / 1e6:.3g}") != multiply_adds:
        problems.append("mult-adds")
    notes = []
    if row["built_agrees"] is False:
        notes.append("CLOSED FORM DIFFERS FROM THE BUILT MODEL")
    if problems:
        reason = _NOTES.get(row["network"], "unexplained")
        notes.append(f"{' and '.join(problems)} differ: {reason}")
    if row["network"] == "nasnet_5_1538":
        notes.append("1538 is 1536, 24F")
    return "; ".join(notes)


def make_table(rows: list[dict[str, Any]]) -> Table:
    """Lays the rows out; differences are those of the trainable parameters."""
    table = Table(box=box.MARKDOWN)
    table.add_column("network", no_wrap=True)
    for heading in (
        "published parameters",
        "trainable",
        "total",
        "built trainable",
        "built total",
        "difference",
        "published mult-adds",
        "computed",
        "difference",
    ):
        table.add_column(heading, justify="right")
    table.add_column("note")
    for row in rows:
        parameters = row["published_parameters_millions"]
        multiply_adds = row["published_multiply_adds_millions"]
        table.add_row(
            row["network"],
            f"{parameters}M" if parameters else "-",
            f"{row['trainable']:,}",
            f"{row['total']:,}",
            f"{row['built_trainable']:,}" if row["built_trainable"] else "-",
            f"{row['built_total']:,}" if row["built_total"] else "-",
            _difference(row["trainable"], parameters),
            _millions(multiply_adds, "#.3g") if multiply_adds else "-",
            _millions(row["multiply_adds"] / 1e6, "#.4g"),
            _difference(row["multiply_adds"], multiply_adds),
            row["note"],
        )
    return table


def _millions(value: float, digits: str) -> str:
    text, unit = (value / 1000, "B") if value >= 1000 else (value, "M")
    return f"{text:{digits}}".rstrip(".") + unit


def _difference(value: int, published: float | None) -> str:
    if not published:
        return "-"
    # Adding zero turns -0.0 into 0.0.
    return f"{round(100 * (value / 1e6 / published - 1), 1) + 0.0:+.1f} %"


if __name__ == "__main__":
    run(main)

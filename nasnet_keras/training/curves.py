"""The curves of a training run as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nasnet_keras.files.atomic_files import atomic_write
from nasnet_keras.training.log import read_log

Panels = Mapping[str, Sequence[tuple[str, str, str]]]
"""By quantity, what its panel shows: the key in the log, its name, and the line's colour."""

CLASSIFIER_PANELS: Panels = {
    "loss": (
        ("loss", "training, everything that is minimized", "tab:blue"),
        ("logits_loss", "training, cross-entropy", "tab:cyan"),
        ("evaluation_loss", "evaluation, cross-entropy", "tab:orange"),
    ),
    "accuracy": (
        ("logits_accuracy", "training", "tab:blue"),
        ("accuracy", "training", "tab:blue"),
        ("evaluation_accuracy", "evaluation", "tab:orange"),
    ),
    "learning rate": (("learning_rate", "", "tab:green"),),
}
_SHARES = ("accuracy", "average precision")
_FEW = 40  # So many points are marked, so that an epoch can be told from the next.


def draw_curves(log: Path, picture: Path, panels: Panels = CLASSIFIER_PANELS) -> None:
    """Draws the quantities of a log against the training step.

    Args:
        log: The `metrics.jsonl` of a run.
        picture: The PNG to write, atomically.
        panels: What to show; the last one is the learning rate.

    Raises:
        OSError: The log cannot be read or the picture not be written.
        ValueError: No epoch is in the log.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import StrMethodFormatter

    records = read_log(log)
    if not records:
        raise ValueError(f"{log} has no complete epoch")
    # A Figure of its own, not pyplot's: no display is looked for and nothing stays open.
    figure = Figure(figsize=(8, 9), dpi=110, layout="constrained")
    ratios = [3] * (len(panels) - 1) + [2]
    drawn = figure.subplots(len(panels), 1, sharex=True, height_ratios=ratios)
    for axes, (quantity, curves) in zip(drawn, panels.items(), strict=True):
        for key, label, color in curves:
            points = [(record["step"], record[key]) for record in records if key in record]
            if points:
                marker = "o" if len(points) <= _FEW else ""
                steps, values = zip(*points, strict=True)
                axes.plot(steps, values, color=color, label=label, marker=marker, markersize=4)
        axes.set_ylabel(quantity)
        axes.grid(alpha=0.3)
        if quantity in _SHARES:
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:.1%}"))
        if axes.get_legend_handles_labels()[0]:
            axes.legend(loc="best", fontsize=9)
    last = drawn[-1]
    last.set_ylim(bottom=0)
    last.set_xlabel("training step")
    last.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    with atomic_write(picture) as path:
        figure.savefig(path)

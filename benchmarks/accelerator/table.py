"""The report as markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_GIB = 2**30


def markdown(content: dict[str, Any]) -> list[str]:
    """Returns the lines of the report."""
    environment = content["environment"]
    lines = [f"    {content['command']}", ""]
    if environment:
        versions = ("python", "jax", "jaxlib", "keras", "nasnet_keras", "torch", "timm")
        named = [f"{name} {environment[name]}" for name in versions if name in environment]
        lines += [f"{environment['device']}, {environment['date']}; {', '.join(named)}.", ""]
    if content["rates"]:
        rates = content["rates"]
        lines += [
            "Measured in the same run: GEMM "
            f"{rates['gemm_float32'] / 1e12:.3g} TFLOP/s in float32 (JAX's default precision), "
            f"{rates['gemm_mixed_bfloat16'] / 1e12:.3g} in bfloat16; memory "
            f"{rates['bandwidth'] / 1e9:.3g} GB/s.",
            "",
        ]
    if content["correctness"]:
        rows = [
            (row["network"], f"{row['difference']:.1e}", f"{row['relative_difference']:.1e}")
            for row in content["correctness"]
        ]
        lines += [*_table(("float32 logits", "difference", "relative"), rows, 1), ""]
    if content["throughput"]:
        lines += [*_table(_HEADINGS, list(map(_cells, best_rows(content["throughput"]))), 4), ""]
    if any("loss" in row for row in content["throughput"]):
        lines += [
            "Ours trains as its recipe says: auxiliary head, drop path, L2, clipping and, on "
            "ImageNet, moving averages. timm's step is cross-entropy and RMSProp.",
            "",
        ]
    return lines + _table(("part", "", "seconds"), list(map(_part, content["parts"].items())), 2)


_HEADINGS = (
    *("side", "network", "precision", "mode", "batch", "images/s", "quartiles", "times timm"),
    *("of GEMM rate", "of bandwidth", "memory (GiB)", "trace (s)", "compile (s)", "outcome"),
)


def best_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns of each side, network, precision and mode the row to show.

    That is the one measured in turns, else the fastest so far, else what stood in the way. Where
    timm's network of the same kind was measured at the same batch, `times_timm` is the ratio.
    """
    best: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in ("side", "network", "precision", "mode"))
        if key not in best or _rank(row) > _rank(best[key]):
            best[key] = row
    theirs = {
        (row["precision"], row["mode"], row["batch"]): row["images_per_second"]
        for row in rows
        if (row["side"], row["network"]) == ("timm, compiled", "nasnetalarge")
        and "images_per_second" in row
    }
    for row in best.values():
        their = theirs.get((row["precision"], row["mode"], row["batch"]))
        if their and row["network"] == "nasnet_large" and "images_per_second" in row:
            row["times_timm"] = row["images_per_second"] / their
    return list(best.values())


def _rank(row: dict[str, Any]) -> tuple[bool, float]:
    return row["outcome"] == "measured in turns", row.get("images_per_second", 0.0)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    low, high = row.get("images_per_second_quartiles", (None, None))
    memory = row.get("peak_bytes") or row.get("planned_bytes")
    return (
        *(row[name] for name in ("side", "network", "precision", "mode")),
        str(row["batch"]),
        _number(row.get("images_per_second"), ".1f"),
        "-" if low is None else f"{low:.1f} to {high:.1f}",
        _number(row.get("times_timm"), ".2f"),
        _number(row.get("fraction_of_gemm_rate"), ".3f"),
        _number(row.get("fraction_of_bandwidth"), ".3f"),
        _number(memory and memory / _GIB, ".2f"),
        _number(row.get("trace_seconds"), ".0f"),
        _number(row.get("compile_seconds"), ".0f"),
        row["outcome"],
    )


def _part(part: tuple[str, dict[str, Any]]) -> tuple[str, ...]:
    name, outcome = part
    status = ": ".join(filter(None, (outcome["status"], outcome.get("reason"))))
    return name, status, _number(outcome.get("seconds"), ".0f")


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> list[str]:
    """Returns a table; its first columns are words, the rest numbers."""
    rule = "|" + "---|" * words + "---:|" * (len(headings) - words)
    first, *others = ("| " + " | ".join(cells) + " |" for cells in (headings, *rows))
    return [first, rule, *others]

"""What is known so far: a JSON file, and the table made from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from accelerator.table import markdown
from nasnet_keras.files.atomic_files import atomic_write


class Report:
    """Rows as they come; both files are complete after each.

    Args:
        path: The JSON file; the table is beside it, with the suffix `.md`.
        parts: Names of all parts, in order.
        head: What is known before: command, budget.
    """

    def __init__(self, path: str, parts: list[str], head: dict[str, Any]) -> None:
        self.path = Path(path)
        self.content: dict[str, Any] = {
            **head,
            "environment": {},
            "parts": {name: {"status": "not reached"} for name in parts},
            "rates": {},
            "correctness": [],
            "throughput": [],
        }
        self.write()

    def set_part(self, name: str, **outcome: Any) -> None:
        """Notes how far a part is."""
        self.content["parts"][name] = outcome
        self.write()

    def add(self, row: dict[str, Any]) -> None:
        """Adds what a part has sent: `{"kind": a key of the content, ...}`."""
        kind = row.pop("kind")
        if kind in ("environment", "rates"):
            self.content[kind] |= row
        else:
            self.content[kind].append(row)
            self._set_fractions()
        self.write()

    def best_batch(self, network: str, mode: str, default: int) -> int:
        """Returns the batch at which a network was fastest in mixed bfloat16."""
        rows = [
            row
            for row in self.content["throughput"]
            if (row["network"], row["mode"]) == (network, mode)
            and "images_per_second" in row
            and row["precision"] == "mixed_bfloat16"
        ]
        return max(rows, key=lambda row: row["images_per_second"])["batch"] if rows else default

    def write(self) -> None:
        with atomic_write(self.path) as temporary:
            temporary.write_text(json.dumps(self.content, indent=2))
        with atomic_write(self.path.with_suffix(".md")) as temporary:
            temporary.write_text("\n".join(markdown(self.content)) + "\n")

    def _set_fractions(self) -> None:
        """Sets how much of the measured rates a row reaches; the larger bound is the roofline's."""
        rates = self.content["rates"]
        for row in self.content["throughput"]:
            if not rates or not {"flops_per_image", "step_seconds"} <= row.keys():
                continue
            flops = row["flops_per_image"] * row["images_per_second"]
            row["fraction_of_gemm_rate"] = flops / rates[f"gemm_{row['precision']}"]
            if row.get("accessed_bytes"):
                rate = row["accessed_bytes"] / row["step_seconds"]
                row["fraction_of_bandwidth"] = rate / rates["bandwidth"]

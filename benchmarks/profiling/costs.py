"""What operations need at least: arithmetic, and bytes read and written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass


@dataclass
class Cost:
    """Of the operations of a kind, in a step.

    Attributes:
        flops: Two a multiply-add of convolutions and matrix products; nothing else is counted.
        accessed_bytes: Tensors that each operation reads and writes.
        operations: How many there are.
    """

    flops: float = 0.0
    accessed_bytes: float = 0.0
    operations: int = 0

    def seconds(self, rates: dict[str, float]) -> float:
        """Returns the time below which they cannot be, at the rates of `rates.measure_rates`."""
        return max(self.flops / rates["gemm"], self.accessed_bytes / rates["bandwidth"])


Costs = defaultdict[str, Cost]


def no_costs() -> Costs:
    return defaultdict(Cost)

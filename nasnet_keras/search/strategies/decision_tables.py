"""A space's decisions as the tables of numbers that a controller works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasnet_keras.search.spaces.space import Decision


@dataclass(frozen=True)
class DecisionTables:
    """Where every decision finds its embeddings and its logits.

    All output heads together are one matrix; a decision uses some neighbouring columns of it.
    Decisions of one kind share embeddings, those of one kind and size share columns. Decisions with
    an anchor use the last two columns, which are not part of the matrix (see `Controller`).

    Attributes:
        sizes: `(decisions,)`, number of choices.
        tokens: `(decisions,)`, the row of the embedding of a decision's first choice. Row 0 stands
            for the start.
        columns: `(decisions,)`, the column of the logit of a decision's first choice.
        anchors: `(decisions,)`, the anchor, or -1.
        num_tokens: Rows of the embedding.
        num_columns: Columns of the matrix of output heads.
    """

    sizes: np.ndarray
    tokens: np.ndarray
    columns: np.ndarray
    anchors: np.ndarray
    num_tokens: int
    num_columns: int

    @property
    def has_anchors(self) -> bool:
        """Whether any decision has an anchor."""
        return bool((self.anchors >= 0).any())

    @property
    def allowed(self) -> np.ndarray:
        """`(decisions, columns)`: whether a column belongs to a decision."""
        columns = np.arange(self.num_columns + 2 * self.has_anchors)
        first = self.columns[:, None]
        return (columns >= first) & (columns < first + self.sizes[:, None])

    @classmethod
    def of(cls, decisions: Sequence[Decision]) -> DecisionTables:
        """Lays out the tables of some decisions."""
        widest: dict[str, int] = {}
        heads: dict[tuple[str, int], int] = {}
        num_columns = 0
        for decision in decisions:
            size = len(decision.choices)
            widest[decision.kind] = max(size, widest.get(decision.kind, 0))
            if decision.anchor is None and (decision.kind, size) not in heads:
                heads[decision.kind, size] = num_columns
                num_columns += size
        starts: dict[str, int] = {}
        num_tokens = 1
        for kind, size in widest.items():
            starts[kind] = num_tokens
            num_tokens += size
        return cls(
            sizes=np.array([len(d.choices) for d in decisions]),
            tokens=np.array([starts[d.kind] for d in decisions]),
            columns=np.array(
                [
                    num_columns if d.anchor is not None else heads[d.kind, len(d.choices)]
                    for d in decisions
                ]
            ),
            anchors=np.array([-1 if d.anchor is None else d.anchor for d in decisions]),
            num_tokens=num_tokens,
            num_columns=num_columns,
        )

"""A space's decisions as the index tables that a controller works with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nasnet_keras.search.spaces.space import Decision


@dataclass(frozen=True)
class DecisionTables:
    """Where the embeddings and logits of every decision are.

    All output heads form one matrix, of which a decision uses some adjacent columns.
    Decisions of one kind share embeddings, those of one kind and size share columns. Decisions with
    an anchor use the last two columns, which are not part of the matrix (see `Controller`).

    Attributes:
        sizes: `(decisions,)`, number of choices.
        tokens: `(decisions,)`, the embedding row of a decision's first choice. Row 0 is the start
            token.
        columns: `(decisions,)`, the logit column of a decision's first choice.
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
        """Builds the tables of some decisions."""
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

"""The settings of a surrogate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from nasnet_keras.settings import Count, Positive, Settings


@dataclass(frozen=True)
class SurrogateSettings(Settings):
    """The predictor of PNASNet's search (Liu et al. 2018, sections 4.2 and 5.2).

    Not in the paper, so our choice: `epochs` and `batch_size`.

    Attributes:
        kind: `"mlp"` or `"lstm"`.
        members: 1, or the size of an ensemble; 5 in the paper, each fitted from scratch to all data
            so far except its own fifth.
        embedding_size: Size of the embeddings of inputs and operations.
        units: Units of the LSTM, or of each of the two dense layers.
        first_learning_rate: Learning rate of Adam for the first fit (cells of one block).
        learning_rate: Learning rate of Adam for later fits.
        epochs: Passes over the data in a fit.
        batch_size: Cells in a step.

    Raises:
        ValueError: A value is out of range.
    """

    kind: Literal["mlp", "lstm"] = "mlp"
    members: Count = 5
    embedding_size: Count = 100
    units: Count = 100
    first_learning_rate: Positive = 0.01
    learning_rate: Positive = 0.002
    epochs: Count = 50
    batch_size: Count = 32


MLP = SurrogateSettings("mlp", members=1)
LSTM = SurrogateSettings("lstm", members=1)
MLP_ENSEMBLE = SurrogateSettings("mlp")
LSTM_ENSEMBLE = SurrogateSettings("lstm")

"""How a surrogate is made and fitted, as data."""

from __future__ import annotations

from dataclasses import dataclass

from nasnet_keras.search.strategies.setting_checks import check_positive, check_whole
from nasnet_keras.suggestions import unknown_name

SURROGATES = ("mlp", "lstm")


@dataclass(frozen=True)
class SurrogateSettings:
    """The predictor of PNASNet's search (Liu et al. 2018, sections 4.2 and 5.2).

    Not in the paper, and so ours: `epochs` and `batch_size`.

    Attributes:
        kind: `"mlp"` or `"lstm"`.
        members: 1, or the size of an ensemble; 5 in the paper, each fitted from scratch to all data
            so far but its own fifth.
        embedding_size: Size of the embeddings of inputs and operations.
        units: Units of the LSTM, or of each of the two dense layers.
        first_learning_rate: Of Adam, for the first fit (cells of one block).
        learning_rate: Of Adam, for the later ones.
        epochs: Passes over the data a fit.
        batch_size: Cells a step.

    Raises:
        ValueError: A value is out of range.
    """

    kind: str = "mlp"
    members: int = 5
    embedding_size: int = 100
    units: int = 100
    first_learning_rate: float = 0.01
    learning_rate: float = 0.002
    epochs: int = 50
    batch_size: int = 32

    def __post_init__(self) -> None:
        if self.kind not in SURROGATES:
            raise ValueError(unknown_name("surrogate", self.kind, SURROGATES))
        for name in ("members", "embedding_size", "units", "epochs", "batch_size"):
            check_whole(name, getattr(self, name))
        for name in ("first_learning_rate", "learning_rate"):
            check_positive(name, getattr(self, name))


MLP = SurrogateSettings("mlp", members=1)
LSTM = SurrogateSettings("lstm", members=1)
MLP_ENSEMBLE = SurrogateSettings("mlp")
LSTM_ENSEMBLE = SurrogateSettings("lstm")

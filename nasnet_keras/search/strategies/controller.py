"""The controller: an LSTM that makes one decision after another (Zoph et al. 2018, appendix A)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from nasnet_keras.search.spaces.space import Decision
from nasnet_keras.search.strategies.decision_tables import DecisionTables

# Far below any logit, and still finite: 0 times it is 0.
_NEVER = -1e9


class Controller(keras.Model):
    """Log-probabilities and entropies of given decisions.

    An LSTM unrolled over all decisions reads the embedding of the previous decision and scores the
    choices of the next one. The paper has a softmax for each decision; here decisions of the same
    kind and number of choices share an output head.

    A decision with an anchor (skip connections, Zoph and Le 2017, section 3.3) is a yes with
    probability sigmoid(v tanh(W_prev h_j + W_curr h_i)), h the LSTM's outputs at the anchor and
    here. There, all skip connections of a layer are drawn from one state; here each has its own
    step and may depend on those before it.

    Input shape: `(batch, decisions)`, integers; shorter ones are the first of all decisions.
    Output shape: `(batch, decisions, 2)`: the log-probability of the decision made, given those
    before it, and the entropy (nats) of the whole softmax it was drawn from.

    Args:
        decisions: The decisions of a space.
        units: Units of each LSTM layer, lowest first.
        embedding_size: Size of the embedding of a decision.
        initial_scale: Initial weights are uniform within plus and minus this. Biases are 0, those
            of the forget gates 1.
        seed: Seed of the initial weights, equal on every backend.
        **kwargs: Of `keras.Model`, e.g. `dtype`.
    """

    def __init__(
        self,
        decisions: Sequence[Decision],
        units: Sequence[int] = (100,),
        embedding_size: int = 100,
        initial_scale: float = 0.1,
        seed: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tables = DecisionTables.of(decisions)
        self.embedding_size = embedding_size
        self.lstm_layers = [
            keras.layers.LSTM(size, return_sequences=True, name=f"lstm_{i}", dtype=self.dtype)
            for i, size in enumerate(units)
        ]
        self._build_weights(list(units))
        generator = np.random.default_rng(seed)
        values = []
        for variable in self.weights:
            if variable.path.endswith("bias"):
                value = np.zeros(variable.shape)
                if "lstm" in variable.path:
                    quarter = value.shape[0] // 4
                    value[quarter : 2 * quarter] = 1.0
            else:
                value = generator.uniform(-initial_scale, initial_scale, variable.shape)
            values.append(value)
        self.set_weights(values)

    def _build_weights(self, units: list[int]) -> None:
        tables, top = self.tables, units[-1]
        self.embedding = self.add_weight(
            shape=(tables.num_tokens, self.embedding_size), name="embedding"
        )
        width = self.embedding_size
        for layer, size in zip(self.lstm_layers, units, strict=True):
            layer.build((None, len(tables.sizes), width))
            width = size
        self.head = self.add_weight(shape=(top, tables.num_columns), name="head")
        self.head_bias = self.add_weight(shape=(tables.num_columns,), name="head_bias")
        if tables.has_anchors:
            self.anchor_previous = self.add_weight(shape=(top, top), name="anchor_previous")
            self.anchor_current = self.add_weight(shape=(top, top), name="anchor_current")
            self.anchor_vector = self.add_weight(shape=(top, 1), name="anchor_vector")
        self.built = True

    def named_weights(self) -> dict[str, np.ndarray]:
        """Returns the weights as arrays, by the names that `unroll` uses."""
        named: dict[str, Any] = {"embedding": self.embedding}
        for i, layer in enumerate(self.lstm_layers):
            cell = layer.cell
            named[f"kernel_{i}"] = cell.kernel
            named[f"recurrent_kernel_{i}"] = cell.recurrent_kernel
            named[f"bias_{i}"] = cell.bias
        named |= {"head": self.head, "head_bias": self.head_bias}
        if self.tables.has_anchors:
            named["anchor_previous"] = self.anchor_previous
            named["anchor_current"] = self.anchor_current
            named["anchor_vector"] = self.anchor_vector
        return {name: ops.convert_to_numpy(value) for name, value in named.items()}

    def call(self, architectures: Any) -> Any:
        tables = self.tables
        architectures = ops.cast(architectures, "int32")
        # Not known when TensorFlow traces, once there were several.
        length = ops.shape(architectures)[1]

        def first(table: np.ndarray, dtype: str = "int32") -> Any:
            return ops.convert_to_tensor(table.astype(dtype))[:length]

        tokens = architectures + first(tables.tokens)
        previous = ops.pad(tokens[:, :-1], ((0, 0), (1, 0)))
        x = ops.take(self.embedding, previous, axis=0)
        for layer in self.lstm_layers:
            x = layer(x)
        logits = ops.matmul(x, self.head) + self.head_bias
        if tables.has_anchors:
            anchored = ops.take(x, first(np.maximum(tables.anchors, 0)), axis=1)
            yes = ops.tanh(
                ops.matmul(anchored, self.anchor_previous) + ops.matmul(x, self.anchor_current)
            )
            yes = ops.matmul(yes, self.anchor_vector)
            logits = ops.concatenate([logits, ops.zeros_like(yes), yes], axis=-1)
        allowed = first(tables.allowed, "float32")
        logits = logits + ops.cast((allowed - 1.0) * -_NEVER, logits.dtype)
        log_softmax = ops.log_softmax(logits, axis=-1)
        entropies = -ops.sum(ops.exp(log_softmax) * log_softmax, axis=-1)
        columns = architectures + first(tables.columns)
        chosen = ops.one_hot(columns, allowed.shape[-1], dtype=logits.dtype)
        return ops.stack([ops.sum(chosen * log_softmax, axis=-1), entropies], axis=-1)

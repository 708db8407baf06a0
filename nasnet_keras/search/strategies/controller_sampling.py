"""The controller in NumPy, to draw decisions one by one without a compiled graph.

It is the same on every backend, so that equal weights give equal proposals.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from nasnet_keras.search.strategies.decision_tables import DecisionTables


def unroll(
    weights: Mapping[str, np.ndarray],
    tables: DecisionTables,
    architectures: np.ndarray | None = None,
    uniforms: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Runs the controller over all decisions, in float64.

    Args:
        weights: `Controller.named_weights()`.
        tables: The tables of the decisions.
        architectures: `(batch, decisions)`: decisions to score. Or:
        uniforms: `(batch, decisions)` in [0, 1): decisions to draw, each the first choice whose
            cumulative probability exceeds the value.

    Returns:
        Decisions, their log-probabilities and the entropies (nats) of the softmaxes, each
        `(batch, decisions)`.

    Raises:
        ValueError: Neither or both of `architectures` and `uniforms` are given.
    """
    given = architectures if uniforms is None else uniforms
    if given is None or (architectures is not None and uniforms is not None):
        raise ValueError("give either architectures to score or uniforms to draw from")
    weights = {name: np.asarray(value, "float64") for name, value in weights.items()}
    layers = sum(name.startswith("kernel_") for name in weights)
    batch, length = given.shape
    hidden = [np.zeros((batch, weights[f"recurrent_kernel_{i}"].shape[0])) for i in range(layers)]
    carry = [np.zeros_like(h) for h in hidden]
    tokens = np.zeros(batch, int)
    outputs: list[np.ndarray] = []
    decisions = np.zeros((batch, length), int)
    log_probabilities = np.zeros((batch, length))
    entropies = np.zeros((batch, length))
    rows = np.arange(batch)
    for step in range(length):
        x = weights["embedding"][tokens]
        for i in range(layers):
            gates = x @ weights[f"kernel_{i}"] + weights[f"bias_{i}"]
            gates = gates + hidden[i] @ weights[f"recurrent_kernel_{i}"]
            enter, forget, value, leave = np.split(gates, 4, axis=1)
            carry[i] = _sigmoid(forget) * carry[i] + _sigmoid(enter) * np.tanh(value)
            hidden[i] = x = _sigmoid(leave) * np.tanh(carry[i])
        outputs.append(x)
        size = tables.sizes[step]
        if tables.anchors[step] >= 0:
            anchored = outputs[tables.anchors[step]] @ weights["anchor_previous"]
            yes = np.tanh(anchored + x @ weights["anchor_current"]) @ weights["anchor_vector"]
            logits = np.concatenate([np.zeros_like(yes), yes], axis=1)
        else:
            mine = slice(tables.columns[step], tables.columns[step] + size)
            logits = x @ weights["head"][:, mine] + weights["head_bias"][mine]
        shifted = logits - logits.max(axis=1, keepdims=True)
        log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        softmax = np.exp(log_softmax)
        if uniforms is None:
            decisions[:, step] = given[:, step]
        else:
            passed = np.cumsum(softmax, axis=1)[:, :-1] <= given[:, step : step + 1]
            decisions[:, step] = passed.sum(axis=1)
        log_probabilities[:, step] = log_softmax[rows, decisions[:, step]]
        entropies[:, step] = -(softmax * log_softmax).sum(axis=1)
        tokens = tables.tokens[step] + decisions[:, step]
    return decisions, log_probabilities, entropies


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 0.5 * (np.tanh(0.5 * x) + 1.0)

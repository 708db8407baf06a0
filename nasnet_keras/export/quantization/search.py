"""The search for the fewest layers that must stay in float."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches
from nasnet_keras.export.quantization.accuracy import Accuracy, measure_accuracy
from nasnet_keras.export.quantization.quantizer import Kind, Quantizer

# Of the layers, those with the largest errors.
_WORST = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
# What usually is the most sensitive, and is cheap in float, comes first.
_KINDS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("the classifier", ("classifier",)),
    ("the first convolution", ("first",)),
    ("the first convolution and the classifier", ("first", "classifier")),
)
_MOST_KINDS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("the depthwise convolutions", ("depthwise",)),
    (
        "the depthwise convolutions, the first one and the classifier",
        ("first", "depthwise", "classifier"),
    ),
)


@dataclass(frozen=True, eq=False)
class Quantized:
    """A network in 8 bits that is good enough.

    Attributes:
        model: The network: an `onnx.ModelProto`, an `openvino.Model`, or the bytes of a LiteRT
            file.
        accuracy: Its accuracy on the held-out pictures.
        float_accuracy: That of the network in float.
        kept: Names of the layers that stayed in float.
        layers: How many layers have weights.
        what_was_kept: The layers that stayed in float, in words; empty if none did.
    """

    model: Any
    accuracy: Accuracy
    float_accuracy: Accuracy
    kept: tuple[str, ...]
    layers: int
    what_was_kept: str

    def __str__(self) -> str:
        kept = ""
        if self.what_was_kept:
            kept = f"; {self.what_was_kept} stayed in float ({len(self.kept)} of {self.layers})"
        return (
            f"{self.accuracy} of {self.accuracy.pictures} held-out pictures right, "
            f"{self.float_accuracy} in float{kept}"
        )


def quantize_within(
    quantizer: Quantizer, held_out: EvaluationBatches, max_accuracy_loss: float
) -> Quantized:
    """Quantizes a network, and keeps layers in float where it loses too much.

    All layers are tried first, then without some kinds, and without those with the largest errors:
    ten trials at most.

    Args:
        quantizer: The network.
        held_out: Labelled pictures, on which each trial is scored.
        max_accuracy_loss: How many points of top-1 accuracy may be lost.

    Returns:
        The first trial that loses no more.

    Raises:
        ValueError: All lose more; says how much the best one does.
    """
    in_float = measure_accuracy(quantizer.runner(quantizer.model), held_out)
    best: tuple[Accuracy, str] | None = None
    for what, kept in _trials(quantizer):
        model = quantizer.quantize(kept)
        accuracy = measure_accuracy(quantizer.runner(model), held_out)
        if accuracy.points_below(in_float) <= max_accuracy_loss:
            names = tuple(layer.name for layer in quantizer.layers if layer.name in kept)
            return Quantized(model, accuracy, in_float, names, len(quantizer.layers), what)
        if best is None or accuracy.correct > best[0].correct:
            best = accuracy, what
    assert best is not None
    accuracy, what = best
    kept_too = f", at best, with {what} in float" if what else ""
    raise ValueError(
        f"8 bits lose {accuracy.points_below(in_float):.2f} points of accuracy{kept_too} "
        f"({in_float} of {in_float.pictures} held-out pictures right in float, {accuracy} in 8 "
        f"bits); at most {max_accuracy_loss:g} may be lost (max_accuracy_loss); nothing was written"
    )


def _trials(quantizer: Quantizer) -> Iterator[tuple[str, frozenset[str]]]:
    """Yields what to keep in float, in words and as names, the least first."""
    layers = quantizer.layers
    yield "", frozenset()
    tried = {frozenset(), frozenset(layer.name for layer in layers)}
    for what, kept in _candidates(quantizer):
        if kept not in tried:
            tried.add(kept)
            yield what, kept


def _candidates(quantizer: Quantizer) -> Iterator[tuple[str, frozenset[str]]]:
    layers = quantizer.layers
    for what, kinds in _KINDS:
        yield what, frozenset(layer.name for layer in layers if layer.kind in kinds)
    errors = quantizer.errors()
    worst = sorted(errors, key=lambda name: -errors[name])
    for fraction in _WORST:
        count = max(1, round(fraction * len(layers)))
        yield f"the {count} layers with the largest errors", frozenset(worst[:count])
    for what, kinds in _MOST_KINDS:
        yield what, frozenset(layer.name for layer in layers if layer.kind in kinds)

"""The kinds of operation, and how an operation of a compiled program is told to be of one.

While a step is traced, the functions that make each kind open a name scope, which TensorFlow and
JAX keep with every operation, those of the gradient included.
"""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import keras

from nasnet_keras.classification.objective import HalfSquares
from nasnet_keras.data.augmentation import Augmentation
from nasnet_keras.layers import normalized_convolution
from nasnet_keras.layers.backends import (
    batch_norm_tensorflow,
    depthwise_jax,
    depthwise_tensorflow,
)
from nasnet_keras.layers.batch_normalization import BatchNormalization
from nasnet_keras.layers.drop_path import DropPath
from nasnet_keras.layers.network_layer import NetworkLayer
from nasnet_keras.training.optimizers.moving_average import MovingAverage

_PREFIX = "kind."
FORWARD, BY_INPUT, BY_KERNEL = (
    "depthwise forward",
    "depthwise by input",
    "depthwise by kernel",
)
OTHER, HOST, SUMS, L2 = "other", "host", "sums", "L2"
# A word of a name scope, and the kind that it stands for.
_WORDS = {
    "pointwise": "convolutions 1x1",
    "convolution": "other convolutions",
    "depthwise": FORWARD,
    "byinput": BY_INPUT,
    "bykernel": BY_KERNEL,
    "dense": "dense layers",
    "bn": "batch normalization",
    "relu": "ReLU",
    "pool": "pools",
    "concatenation": "concatenation",
    "random": "augmentation, drop path, dropout",
    "loss": "losses and metrics",
    "weightdecay": L2,
    "clipping": "clipping",
    "optimizer": "optimizer",
    "average": "averages",
}
_SCOPE = re.compile(re.escape(_PREFIX) + "([a-z]+)")


def kind_of(name: str) -> str | None:
    """Returns the kind of the innermost of our scopes in an operation's name; `None`: no scope.

    A depthwise convolution's gradient counts as forward here: its two parts have one name.
    """
    words = _SCOPE.findall(name)
    return _WORDS[words[-1]] if words else None


@contextmanager
def named_kinds(model: keras.Model) -> Iterator[None]:
    """Within the block, what is traced of a network and its training has the scopes of kinds.

    Args:
        model: A network with its optimizer, as compiled.
    """
    optimizer: Any = model.optimizer
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    layers, ops = keras.layers, keras.ops
    places: list[tuple[Any, str, str]] = [
        (normalized_convolution, "depthwise_convolution", "depthwise"),
        # TensorFlow gives a gradient of our own no scope.
        (depthwise_tensorflow, "_gradient_of_kernel", "bykernel"),
        (batch_norm_tensorflow, "_gradient", "bn"),
        (depthwise_jax, "_gradient_of_image", "byinput"),
        (BatchNormalization, "call", "bn"),
        (NetworkLayer, "activate", "relu"),
        (ops, "relu", "relu"),
        (ops, "average_pool", "pool"),
        (ops, "max_pool", "pool"),
        (layers.GlobalAveragePooling2D, "call", "pool"),
        (ops, "concatenate", "concatenation"),
        (layers.Dense, "call", "dense"),
        *((layer, "call", "random") for layer in (DropPath, Augmentation, layers.Dropout)),
        (type(model), "compute_loss", "loss"),
        (type(model), "compute_metrics", "loss"),
        (HalfSquares, "__call__", "weightdecay"),
        (type(optimizer), "apply", "optimizer"),
        (type(optimizer), "_clip_gradients", "clipping"),
    ]
    if isinstance(optimizer, MovingAverage):
        # Its update holds the one of the optimizer it is mixed into, the next class after it.
        line = type(optimizer).__mro__
        plain = line[line.index(MovingAverage) + 1]
        places += [(MovingAverage, "update_step", "average"), (plain, "update_step", "optimizer")]
    with ExitStack() as stack:
        for owner, name, word in places:
            function = _named(getattr(owner, name), lambda *_, word=word, **__: word)
            stack.enter_context(patch.object(owner, name, function))
        # Those that Keras's layer computes itself.
        function = _named(layers.Conv2D.call, lambda layer, *_, **__: _word_of(layer))
        stack.enter_context(patch.object(layers.Conv2D, "call", function))
        for name, word in (
            ("convolve", lambda _, layer, *__, **___: _word_of(layer)),
            ("convolve_and_normalize", lambda *_, **__: "bn"),
        ):
            original = getattr(normalized_convolution, name)
            for module in _modules_with(name, original):
                stack.enter_context(patch.object(module, name, _named(original, word)))
        yield


def _modules_with(name: str, function: Any) -> list[Any]:
    """Returns the modules of layers that have a function, most of which import it by name."""
    modules = [value for key, value in sys.modules.items() if key.startswith("nasnet_keras.layers")]
    return [module for module in modules if getattr(module, name, None) is function]


def _word_of(layer: Any) -> str:
    separable = isinstance(layer, keras.layers.SeparableConv2D)
    return "pointwise" if separable or layer.kernel_size == (1, 1) else "convolution"


def _named(function: Callable[..., Any], word: Callable[..., str]) -> Callable[..., Any]:
    @functools.wraps(function)
    def named(*args: Any, **kwargs: Any) -> Any:
        with keras.name_scope(_PREFIX + word(*args, **kwargs)):
            return function(*args, **kwargs)

    return named

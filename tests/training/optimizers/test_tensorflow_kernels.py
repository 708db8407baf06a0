"""Updates by TensorFlow's kernels: the values of the definitions, in graphs, by XLA, resumed."""

import keras
import numpy as np
import pytest

from nasnet_keras.training.optimizers.moving_average import AveragedRMSProp, AveragedSGD
from nasnet_keras.training.optimizers.sgd import SGD

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's kernels"
)
SHAPES = ((3, 3, 2, 4), (4,), (4, 5))
RATE, CLIP = 0.05, 0.5


def random(seed):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape).astype("float32") / 8 for shape in SHAPES]


def applied(optimizer, variables, jit_compile=False):
    """A step in a graph, as training takes it."""
    import tensorflow as tf

    return tf.function(
        lambda gradients: optimizer.apply(gradients, variables),
        autograph=False,
        jit_compile=jit_compile,
    )


def sgd_change(state, gradient, momentum, nesterov):
    state["v"] = momentum * state.get("v", 0.0) - RATE * gradient
    return momentum * state["v"] - RATE * gradient if nesterov else state["v"]


def rmsprop_change(state, gradient):
    state["ms"] = 0.9 * state.get("ms", 1.0) + 0.1 * gradient**2
    state["v"] = 0.9 * state.get("v", 0.0) + RATE * gradient / np.sqrt(state["ms"] + 1.0)
    return -state["v"]


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize(
    ("make", "change"),
    [
        (SGD, lambda s, g: sgd_change(s, g, 0.0, False)),
        (lambda *a, **o: SGD(*a, momentum=0.9, **o), lambda s, g: sgd_change(s, g, 0.9, False)),
        (
            lambda *a, **o: AveragedSGD(*a, momentum=0.9, nesterov=True, **o),
            lambda s, g: sgd_change(s, g, 0.9, True),
        ),
        (AveragedRMSProp, rmsprop_change),
    ],
)
def test_twenty_clipped_steps_are_those_of_the_definition(make, change, jit_compile):
    variables = [keras.Variable(value) for value in random(0)]
    optimizer = make(RATE, global_clipnorm=CLIP)
    optimizer.build(variables)
    # Loaded after the optimizer was built: the averages start where the weights do.
    for variable, value in zip(variables, random(1), strict=True):
        variable.assign(value)
    step = applied(optimizer, variables, jit_compile)
    weights = [value.astype("float64") for value in random(1)]
    averages, states = list(weights), [{} for _ in weights]
    for number in range(1, 21):
        # The first are clipped, the last are not.
        gradients = [value / number for value in random(1 + number)]
        step([keras.ops.convert_to_tensor(gradient) for gradient in gradients])
        exact = [gradient.astype("float64") for gradient in gradients]
        scale = CLIP / max(CLIP, np.sqrt(sum((gradient**2).sum() for gradient in exact)))
        pairs = zip(states, exact, strict=True)
        changes = [change(state, gradient * scale) for state, gradient in pairs]
        weights = [weight + each for weight, each in zip(weights, changes, strict=True)]
        keep = min(0.9999, (1 + number) / (10 + number))
        pairs = zip(averages, weights, strict=True)
        averages = [keep * average + (1 - keep) * weight for average, weight in pairs]
        if number in (1, 20):
            tolerance = 1e-7 if number == 1 else 1e-5
            for variable, weight, average in zip(variables, weights, averages, strict=True):
                np.testing.assert_allclose(variable, weight, rtol=0, atol=tolerance)
                if not isinstance(optimizer, SGD) or isinstance(optimizer, AveragedSGD):
                    ours = optimizer.average_of(variable)
                    np.testing.assert_allclose(ours, average, rtol=0, atol=tolerance)


def test_a_step_equals_that_of_kerass_own_operations():
    ours, theirs = ([keras.Variable(value) for value in random(0)] for _ in range(2))
    options = {"momentum": 0.9, "global_clipnorm": CLIP}
    for optimizer, variables in (
        (SGD(RATE, **options), ours),
        (keras.optimizers.SGD(RATE, **options), theirs),
    ):
        optimizer.build(variables)
        applied(optimizer, variables)([keras.ops.convert_to_tensor(x) for x in random(1)])
    for variable, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(variable, expected, rtol=0, atol=1e-7)


def test_gradients_that_are_not_finite_are_not_hidden_by_clipping():
    variables = [keras.Variable(np.ones(2, "float32")), keras.Variable(np.ones(1, "float32"))]
    optimizer = SGD(RATE, global_clipnorm=1.0)
    optimizer.build(variables)
    infinite = [np.asarray([np.inf, 0.0], "float32"), np.ones(1, "float32")]
    applied(optimizer, variables)([keras.ops.convert_to_tensor(x) for x in infinite])
    assert all(np.isnan(np.asarray(variable)).all() for variable in variables)


def test_what_kerass_sgd_wrote_goes_on(tmp_path):
    def model(optimizer):
        keras.utils.set_random_seed(0)
        result = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        result.compile(optimizer, loss="mse")
        return result

    inputs, targets = np.random.default_rng(0).normal(size=(2, 48, 4)).astype("float32")
    options = {"batch_size": 8, "shuffle": False, "verbose": 0}
    whole = model(keras.optimizers.SGD(RATE, momentum=0.9))
    whole.fit(inputs, targets[:, :3], **options)
    first = model(keras.optimizers.SGD(RATE, momentum=0.9))
    first.fit(inputs[:24], targets[:24, :3], **options)
    first.save(tmp_path / "model.keras")
    second = model(SGD(RATE, momentum=0.9))
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    second.optimizer.build(second.trainable_variables)
    for variables, values in (
        (second.weights, loaded.weights),
        (second.optimizer.variables, loaded.optimizer.variables),
    ):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
    second.fit(inputs[24:], targets[24:, :3], **options)
    for variable, expected in zip(second.weights, whole.weights, strict=True):
        np.testing.assert_allclose(variable, expected, rtol=0, atol=1e-6)
    second.save(tmp_path / "ours.keras")
    assert type(keras.saving.load_model(tmp_path / "ours.keras").optimizer) is SGD

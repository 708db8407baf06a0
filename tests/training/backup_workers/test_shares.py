"""Shares of a step, computed and put together, train as one process does."""

from typing import Any

import keras
import numpy as np
import pytest

from nasnet_keras.classification.objective import cross_entropies
from nasnet_keras.layers import BatchNormalization, ClassifierHead, DropPath, DropPathSchedule
from nasnet_keras.layers.batch_normalization import batch_norms
from nasnet_keras.training.backup_workers.backend import shares_of_backend
from nasnet_keras.training.backup_workers.flat_variables import NetworkLayout
from nasnet_keras.training.backup_workers.messages import (
    Contribution,
    NetworkState,
    combined,
)
from nasnet_keras.training.backup_workers.share_computer import ShareComputer
from nasnet_keras.training.distribution import make_distribution
from nasnet_keras.training.optimizers.moving_average import AveragedSGD
from nasnet_keras.training.run_length import RunLength
from nasnet_keras.training.run_options import CommonRunOptions
from tests.training_runs import (
    CLASSES,
    compiled,
    difference,
    examples,
    named,
    small_network,
    train,
    weights,
)


class _Task:
    """What a `ShareComputer` uses of a task: a network, and `examples` as its data."""

    seed, batch_size, image_size = 0, 16, {"image_size": 6}
    options = CommonRunOptions()

    def __init__(self, make, steps, side, parts=1):
        self._make = make
        self._parts = parts
        self._data = examples(steps, side)
        self.opened = []

    def build(self, run):
        model = self._make()
        model.accumulation_steps = self._parts
        return model

    def batches(self, first_step, worker):
        self.opened.append((first_step, worker))
        images, targets = self._data
        for step in range(first_step, len(images)):
            yield named(images[step, worker], targets[step, worker])

    def data_error(self):
        return None


def computer_of(model, task):
    floats = len(NetworkLayout(model, "int64").floats)
    opened: Any = task
    return ShareComputer(lambda: opened, RunLength(1, 1), floats)


def train_in_shares(make, steps, side, shares=2, parts=1):
    """Returns a model and its logs, after the steps of which `shares` shares were computed."""
    model = make()
    backend = shares_of_backend()
    layout = NetworkLayout(model, backend.INTEGER_TYPE)
    computer = computer_of(model, _Task(make, steps, side, parts))
    done = []

    def of_step(state):
        step = len(done)
        done.append(step)
        return combined(state, [computer(step, share, state) for share in range(shares)])

    model.train_function = backend.train_function(model, layout, of_step)
    stand_ins = ((np.zeros((1, 1), "float32"),) for _ in range(steps + 3))
    history = model.fit(stand_ins, steps_per_epoch=steps, verbose=0)
    return model, history.history


def train_in_one_process(make, steps, side):
    """Returns a model trained on both shares, one after another, with Keras alone.

    At a learning rate of 1 plain SGD subtracts the gradient.
    """
    model, copy = make(), make()
    losses, loss_weights = cross_entropies(0.4)
    copy.compile(keras.optimizers.SGD(1.0), loss=losses, loss_weights=loss_weights)
    model.optimizer.build(model.trainable_variables)
    for images, targets in zip(*examples(steps, side), strict=True):
        before, gradients, others = values(model.variables), [], []
        for share in range(2):
            for variable, value in zip(copy.variables, before, strict=True):
                variable.assign(value)
            start = values(copy.trainable_variables)
            copy.train_on_batch(*named(images[share], targets[share]))
            moved = values(copy.trainable_variables)
            gradients.append([a - b for a, b in zip(start, moved, strict=True)])
            others.append(values(copy.non_trainable_variables))
        means = [np.mean(each, axis=0) for each in zip(*gradients, strict=True)]
        model.optimizer.apply(
            [keras.ops.convert_to_tensor(mean) for mean in means], model.trainable_variables
        )
        for variable, each in zip(
            model.non_trainable_variables, zip(*others, strict=True), strict=True
        ):
            variable.assign(np.mean(each, axis=0).astype(each[0].dtype))
    return model


def values(variables):
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def all_values(model):
    """Weights, BN's statistics, counters, random states, momenta and moving averages."""
    return values([*model.variables, *model.optimizer.variables])


def random_network():
    """A network with dropout and a drop path, which draw other numbers in each step."""
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 3))
    step = DropPathSchedule()(image)
    x = BatchNormalization(momentum=0.9)(keras.layers.Conv2D(4, 3, use_bias=False)(image))
    x = DropPath(0.5, "v2", seed=3)(x, step=step)
    x = keras.layers.Dropout(0.3, seed=2**32 - 1)(keras.layers.GlobalAveragePooling2D()(x))
    outputs = {"logits": ClassifierHead(CLASSES)(x), "auxiliary_logits": ClassifierHead(CLASSES)(x)}
    return compiled(image, outputs, lambda **o: AveragedSGD(0.5, momentum=0.9, **o))


def test_shares_train_the_weights_of_one_process_that_computes_them_in_turn():
    expected = train_in_one_process(small_network, 20, 6)
    model, _ = train_in_shares(small_network, 20, 6)
    for ours, theirs in zip(all_values(model), all_values(expected), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5, rtol=1e-5)


def test_one_share_is_the_ordinary_training_with_its_random_numbers():
    images, targets = examples(8, 6)
    expected = random_network()
    batches = (named(x[0], y[0]) for x, y in zip(images, targets, strict=True))
    history = expected.fit(batches, steps_per_epoch=8, verbose=0)
    model, logs = train_in_shares(random_network, 8, 6, shares=1)
    assert difference(all_values(model), all_values(expected)) < 1e-6
    for name, value in history.history.items():
        assert logs[name] == pytest.approx(value, abs=1e-5), name


def test_shares_draw_other_random_numbers_and_leave_the_states_of_one():
    model, task = random_network(), _Task(random_network, 1, 6)
    images, targets = task._data
    images[:, 1], targets[:, 1] = images[:, 0], targets[:, 0]
    computer = computer_of(model, task)
    layout = NetworkLayout(model, "int64")
    floats = np.concatenate([value.ravel() for value in values(layout.floats.variables)])
    integers = np.concatenate([value.ravel() for value in values(layout.integers.variables)])
    state = NetworkState(floats, integers.astype("uint32"))
    first, second, again = (computer(0, share, state) for share in (0, 1, 0))
    assert np.abs(first.gradients - second.gradients).max() > 1e-3
    np.testing.assert_equal(first.integers, second.integers)
    # What was computed before, and by whom, makes no difference.
    for ours, theirs in zip(first, again, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_with_frozen_batch_norm_shares_are_one_batch_of_their_images():
    def frozen():
        model = small_network()
        for layer in batch_norms(model):
            layer.trainable = False
        return model

    expected, history = train(make_distribution("none"), frozen, 6, 6)
    for parts in (1, 2):
        model, logs = train_in_shares(frozen, 6, 6, parts=parts)
        assert difference(weights(model, True), weights(expected, True)) < 1e-5
        for name, value in history.items():
            assert logs[name] == pytest.approx(value, abs=1e-5), name


def test_a_mean_leaves_equal_values_as_they_are():
    value = np.float32(0.1)
    state = NetworkState(np.array([9, value, 1], "float32"), np.zeros(1, "uint32"))
    shares = [
        Contribution(
            np.full(1, share, "float32"),
            np.array([value, share], "float32"),
            np.ones(1, "uint32"),
            np.full(2, share, "float32"),
        )
        for share in (1, 3, 5)
    ]
    mean = combined(state, shares)
    assert mean.gradients.tolist() == [3] and mean.metrics.tolist() == [9, 9]
    assert mean.statistics.tolist() == [value, 3] and mean.integers.tolist() == [1]


def test_a_worker_keeps_its_place_in_the_data_and_passes_over_steps_of_others():
    model = small_network()
    task = _Task(small_network, 6, 6)
    computer = computer_of(model, task)
    images, targets = task._data
    for step, share in ((1, 0), (2, 0), (5, 0), (4, 1), (3, 0)):
        x, y = computer._batch(step, share)
        np.testing.assert_array_equal(x, images[step, share])
        np.testing.assert_array_equal(y["logits"], targets[step, share])
    assert task.opened == [(1, 0), (4, 1), (3, 0)]


def test_another_network_than_the_run_has_is_refused():
    task: Any = _Task(small_network, 1, 6)
    with pytest.raises(ValueError, match=r"numbers here, but 7 where the run is: install the same"):
        ShareComputer(lambda: task, RunLength(1, 1), 7)

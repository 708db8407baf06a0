"""On JAX a run's step is one function, which takes its state over and is not waited for."""

import itertools

import keras
import pytest

from nasnet_keras.classification import trainer
from nasnet_keras.classification.recipes import get_recipe
from nasnet_keras.training.step.training_network import TrainingNetwork
from tests.one_block_cells import GENOTYPE

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="is JAX's")
# 1437 images: five steps an epoch.
TINY = get_recipe("digits").override(
    genotype=GENOTYPE, num_cells=2, filters=2, stem_filters=4, batch_size=256, epochs=2
)
EPOCH, STEPS = 5, 10


class Value:
    """A number of a step's logs that writes down when it is read."""

    def __init__(self, value, note):
        self.value, self.note = value, note

    def __float__(self):
        self.note()
        return float(self.value)


def test_step_is_traced_once_takes_its_state_and_is_waited_for_one_step_later(
    tmp_path, monkeypatch
):
    import jax

    traced, synced, read, given, kept = [], [], [], [], []
    started = itertools.count(1)
    now = 0
    step_of, function_of = TrainingNetwork.train_step, TrainingNetwork.make_train_function
    sync = TrainingNetwork.jax_state_sync

    def train_step(model, state, data):
        traced.append(now)
        return step_of(model, state, data)

    def make_train_function(model, force=False):
        if model.train_function is not None:
            return
        function_of(model, force)
        function = model.train_function

        def watched(state, iterator):
            nonlocal now
            now = step = next(started)
            logs, new = function(state, iterator)
            arrays = jax.tree.leaves(state)
            given.append(len(arrays))
            kept.append(sum(not array.is_deleted() for array in arrays))
            note = lambda name: lambda: read.append((name, step, now))  # noqa: E731
            return {name: Value(value, note(name)) for name, value in logs.items()}, new

        model.train_function = watched

    def jax_state_sync(model):
        if getattr(model, "_jax_state", None) and not model._jax_state_synced:
            synced.append(now)
        sync(model)

    monkeypatch.setattr(TrainingNetwork, "train_step", train_step)
    monkeypatch.setattr(TrainingNetwork, "make_train_function", make_train_function)
    monkeypatch.setattr(TrainingNetwork, "jax_state_sync", jax_state_sync)
    trainer.train(TINY, tmp_path)

    assert traced == [1]
    assert given[0] > 30 and len(set(given)) == 1 and kept == [0] * STEPS
    assert set(synced) == {EPOCH, STEPS}
    in_epoch = [(name, step, when) for name, step, when in read if step % EPOCH]
    assert in_epoch == [("loss", step, step + 1) for step in range(1, STEPS) if step % EPOCH]

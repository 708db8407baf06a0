"""Short trainings for `tests/training`, in its own process and in those that it starts.

`python -m tests.training_runs <function> <arguments>` runs one of the programs below.
"""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np

from nasnet_keras.classification.objective import add_weight_decay, cross_entropies
from nasnet_keras.layers import BatchNormalization, ClassifierHead, DropPath, DropPathSchedule
from nasnet_keras.layers.batch_normalization import synchronize_batch_norm
from nasnet_keras.models import build_network, get_preset
from nasnet_keras.training.distribution import make_distribution
from nasnet_keras.training.optimizers.moving_average import AveragedRMSProp, AveragedSGD
from nasnet_keras.training.step.training_network import TrainingNetwork
from tests.one_block_cells import GENOTYPE

CLASSES, BATCH = 3, 16


def start(*arguments, **environment):
    """Starts a program of this file in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.training_runs", *map(str, arguments)],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(process):
    """Waits for a program and returns what it printed."""
    output, _ = process.communicate(timeout=500)
    assert process.returncode == 0, output
    return output


def compiled(inputs, outputs, optimizer, synchronized=True, clip=0.1, **options):
    model = TrainingNetwork(inputs, outputs, name="network")
    synchronize_batch_norm(model, synchronized)
    losses, weights = cross_entropies(0.4)
    model.compile(
        optimizer(global_clipnorm=clip),
        loss=losses,
        loss_weights=weights,
        metrics={"logits": [keras.metrics.CategoricalAccuracy("accuracy")]},
        **options,
    )
    add_weight_decay(model, 1e-2)
    return model


def small_network(**options):
    """A convolution with BN and a drop path that counts its steps but never drops."""
    keras.utils.set_random_seed(0)
    image = keras.Input((6, 6, 3))
    step = DropPathSchedule(name="drop_path_schedule")(image)
    x = BatchNormalization(momentum=0.9)(keras.layers.Conv2D(4, 3, use_bias=False)(image))
    x = DropPath(0.5, "v1", total_steps=10**9)(keras.layers.Activation("relu")(x), step=step)
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = {"logits": ClassifierHead(CLASSES)(x), "auxiliary_logits": ClassifierHead(CLASSES)(x)}
    return compiled(image, outputs, lambda **o: AveragedSGD(0.5, momentum=0.9, **o), **options)


def nasnet():
    keras.utils.set_random_seed(0)
    config = get_preset("nasnet_cifar").config.replace(
        genotype=GENOTYPE, num_cells=2, filters=2, stem_filters=4
    )
    network = build_network(
        config.replace(drop_path_keep_probability=1.0),
        classes=CLASSES,
        input_shape=(16, 16, 3),
        auxiliary_head=True,
    )
    optimizer = lambda **o: AveragedRMSProp(0.002, momentum=0.9, **o)  # noqa: E731
    return compiled(network.input, network.output, optimizer, clip=0.5)


def examples(steps, side):
    """Returns images and targets, `(steps, 2, 16, ...)`: the batches of two replicas.

    Each image is there twice, one after the other, so that two parts of a batch are alike and BN
    finds the whole batch's statistics in each.
    """
    random = np.random.default_rng(0)
    images = random.normal(size=(steps, 2, BATCH // 2, side, side, 3)).astype("float32")
    targets = np.eye(CLASSES, dtype="float32")[random.integers(0, CLASSES, (steps, 2, BATCH // 2))]
    return np.repeat(images, 2, axis=2), np.repeat(targets, 2, axis=2)


def named(images, targets):
    return images, {"logits": targets, "auxiliary_logits": targets}


def train(strategy, make, steps, side, parts=1, **options):
    """Returns a model and its history after a step for each of `examples`."""
    images, targets = examples(steps, side)
    with strategy.scope():
        model = make(**options)
        model.accumulation_steps = parts

        def make_batches(worker):
            if strategy.engine is None or strategy.replicas_per_batch > 1:
                rows = [a.reshape(steps, 2 * BATCH, *a.shape[3:]) for a in (images, targets)]
                return (named(x, y) for x, y in zip(*rows, strict=True))
            import tensorflow as tf

            mine = (images, targets)
            if strategy.workers > 1:
                mine = (images[:, worker], targets[:, worker])
            else:
                mine = [a.reshape(2 * steps, BATCH, *a.shape[3:]) for a in mine]
            return tf.data.Dataset.from_tensor_slices(named(*mine)).repeat()

        history = model.fit(
            strategy.distribute(make_batches), shuffle=False, steps_per_epoch=steps, verbose=0
        )
    return model, history.history


def weights(model, optimizer=False):
    variables = model.trainable_weights + (model.optimizer.variables if optimizer else [])
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def difference(one, other):
    return max(np.abs(a - b).max() for a, b in zip(one, other, strict=True))


def strategies_agree(checkpoint):
    """Trains on one device and on two, whole batches and in parts; saves one of the models."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration()] * 2
        )
        mirrored = make_distribution("mirrored", ["CPU:0", "CPU:1"])
    else:
        mirrored = make_distribution("mirrored")
    assert mirrored.replicas == mirrored.local_replicas == 2 and mirrored.is_chief
    assert mirrored.agree_to_stop(True) and not mirrored.agree_to_stop(False)
    one = make_distribution("none")
    steps, side = 4, 6
    expected, logs = train(one, small_network, steps, side)
    unclipped, _ = train(one, small_network, steps, side, clip=None)
    assert difference(weights(expected), weights(unclipped)) > 1e-2
    for strategy, parts, options in (
        (one, 2, {}),
        (mirrored, 1, {"steps_per_execution": 2}),
        (mirrored, 2, {}),
    ):
        case = (strategy.name, parts, options)
        model, ours = train(strategy, small_network, steps, side, parts, **options)
        assert difference(weights(model, True), weights(expected, True)) < 1e-5, case
        for name, (value,) in logs.items():
            assert abs(ours[name][0] - value) < 1e-5, (case, name)
        counter = model.get_layer("drop_path_schedule").step
        assert int(keras.ops.convert_to_numpy(counter)) == steps, case
    model.save(checkpoint)
    loaded = keras.saving.load_model(checkpoint)
    assert isinstance(loaded, TrainingNetwork)
    np.testing.assert_equal(weights(loaded, True), weights(model, True))
    if keras.backend.backend() == "tensorflow":
        _tensorflow_replicas(mirrored, steps, side)


def _tensorflow_replicas(mirrored, steps, side):
    # BN by replica, compiled by XLA and not.
    plain, _ = train(mirrored, small_network, steps, side, synchronized=False)
    options = {"synchronized": False, "jit_compile": True}
    compiled_by_xla, _ = train(mirrored, small_network, steps, side, 2, **options)
    assert difference(weights(plain), weights(compiled_by_xla)) < 1e-5
    # Loss scaling on half floats: one device and two differ by those floats' rounding only.
    keras.config.set_dtype_policy("mixed_float16")
    half, _ = train(mirrored, small_network, steps, side)
    assert isinstance(half.optimizer, keras.optimizers.LossScaleOptimizer)
    expected, _ = train(make_distribution("none"), small_network, steps, side)
    assert difference(weights(half), weights(expected)) < 2e-3
    keras.config.set_dtype_policy("float32")
    # Random numbers of each replica's own.
    import tensorflow as tf

    from nasnet_keras.data.augmentation import Augmentation

    with mirrored.scope():
        layers = [DropPath(0.5, "v2"), Augmentation("shift"), Augmentation("cifar_cutout")]
        head = ClassifierHead(50, 0.5)
        head.build((None, 20))
    images, features = tf.random.normal((8, 16, 16, 3)), tf.random.normal((8, 20))
    for layer, x in [*((layer, images) for layer in layers), (head, features)]:
        call = lambda x, layer=layer: mirrored.engine.run(layer, (x,), {"training": True})  # noqa: E731
        first, second = mirrored.engine.experimental_local_results(tf.function(call)(x))
        assert np.abs(first - second).max() > 0.1, layer


def work(checkpoint):
    """Trains as one of several workers; the chief saves, one worker alone wants to stop."""
    strategy = make_distribution("multiworker")
    model, _ = train(strategy, nasnet, 20, 16)
    with strategy.scope():
        model.evaluate(
            strategy.distribute(_evaluation_batches), steps=3, verbose=0, return_dict=True
        )
    assert strategy.agree_to_stop(strategy.worker == 1)
    assert not strategy.agree_to_stop(False)
    if strategy.is_chief:
        model.save(checkpoint)
    # None leaves while another still talks to it.
    strategy.agree_to_stop(False)


def _evaluation_batches(worker):
    import tensorflow as tf

    images, targets = examples(3, 16)
    return tf.data.Dataset.from_tensor_slices(named(images[:, worker], targets[:, worker]))


def load_and_train_on(checkpoint):
    """Continues a saved training, maybe of another backend, for a step."""
    model = keras.saving.load_model(checkpoint)
    before = weights(model, True)
    x, y = (a.reshape(-1, *a.shape[3:]) for a in examples(1, 6))
    step = int(model.optimizer.iterations)
    model.fit(*named(x, y), batch_size=2 * BATCH, verbose=0)
    assert int(model.optimizer.iterations) == step + 1
    assert difference(before, weights(model, True)) > 1e-3


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
    print("done")

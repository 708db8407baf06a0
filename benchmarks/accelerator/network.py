"""A recipe's own training step and inference, compiled for the device."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from accelerator.cases import Case
from accelerator.compiled import Compiled, compile_function, on_device, on_host, values
from nasnet_keras.classification.objective import LOGITS, add_weight_decay, cross_entropies
from nasnet_keras.classification.optimizer import make_learning_rate, make_optimizer
from nasnet_keras.classification.recipe_network import (
    build_training_network,
    recipe_network_config,
)
from nasnet_keras.models.complexity import count_multiply_adds
from nasnet_keras.models.inference import inference_model
from nasnet_keras.training.precision import precision

# Of the schedules of drop path and learning rate: any length will do.
_STEPS, _STEPS_PER_EPOCH = 100_000, 1_000


class MeasuredNetwork:
    """A network that stands in the machine's memory, and is copied to the device to be measured.

    Args:
        case: What to build.
    """

    def __init__(self, case: Case) -> None:
        self.recipe = recipe = case.recipe()
        self.classes = case.number_of_classes()
        self.losses, weights = cross_entropies(recipe.auxiliary_weight, recipe.label_smoothing)
        # As the classifier's trainer makes it.
        with on_host(), precision(recipe.precision):
            self.model = build_training_network(recipe, self.classes, _STEPS)
            add_weight_decay(self.model, recipe.weight_decay)
            self.model.compile(
                make_optimizer(recipe, make_learning_rate(recipe, _STEPS, _STEPS_PER_EPOCH)),
                loss=self.losses,
                loss_weights=weights,
                metrics={LOGITS: [keras.metrics.CategoricalAccuracy("accuracy")]},
            )
            self.model.optimizer.build(self.model.trainable_variables)
            # What `fit` does before its first step: metrics have their variables then.
            self.model._symbolic_build(data_batch=(*self._batch(1), None))

    def flops(self, training: bool) -> float:
        """Returns the operations of an image: two a multiply-add, three times as many in training.

        Convolutions and dense layers count only. The way back has two products for each one.
        """
        size = self.recipe.train_image_size
        adds = count_multiply_adds(
            recipe_network_config(self.recipe, drop_path_total_steps=_STEPS),
            (size, size, 3),
            self.classes,
            auxiliary_head=training and self.recipe.auxiliary_weight > 0,
        )
        return 2.0 * adds * (3 if training else 1)

    def training(self, batch: int) -> Compiled:
        """Compiles a step of training; its state is given to the next step, never copied."""
        import jax

        model = self.model
        state = on_device(
            (
                values(model.trainable_variables),
                values(model.non_trainable_variables),
                values(model.optimizer.variables),
                values(model.metrics_variables),
            )
        )
        data = (*on_device(self._batch(batch)), None)
        call, costs = compile_function(jax.jit(model.train_step, donate_argnums=0), state, data)

        def step() -> Any:
            nonlocal state
            logs, state = call(state, data)
            return logs

        return Compiled(step, batch, **costs)

    def inference(self, batch: int) -> Compiled:
        """Compiles the way from images to probabilities."""
        import jax

        with on_host():
            model = inference_model(self.model)
        weights = on_device(values(model.trainable_variables))
        state = on_device(values(model.non_trainable_variables))
        images = on_device(self._batch(batch)[0])

        def predict(weights: Any, state: Any, images: Any) -> Any:
            outputs, _ = model.stateless_call(weights, state, images, training=False)
            return outputs["probabilities"]

        call, costs = compile_function(jax.jit(predict), weights, state, images)
        return Compiled(lambda: call(weights, state, images), batch, **costs)

    def _batch(self, count: int) -> tuple[Any, Any]:
        """Returns random images and their targets for each output."""
        size = self.recipe.train_image_size
        generator = np.random.default_rng(0)
        images = generator.uniform(-1, 1, (count, size, size, 3)).astype("float32")
        labels = np.eye(self.classes, dtype="float32")[np.arange(count) % self.classes]
        return images, dict.fromkeys(self.losses, labels)

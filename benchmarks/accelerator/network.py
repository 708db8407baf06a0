"""A recipe's own training step and inference, compiled for the device."""

from __future__ import annotations

from typing import Any

from recipe_step import STEPS, compiled_network, random_batch

from accelerator.cases import Case
from accelerator.compiled import Compiled, compile_function, on_device, on_host, values
from nasnet_keras.classification.recipe_network import recipe_network_config
from nasnet_keras.models.complexity import count_multiply_adds
from nasnet_keras.models.inference import inference_model


class MeasuredNetwork:
    """A network that stands in the machine's memory, and is copied to the device to be measured.

    Args:
        case: What to build.
    """

    def __init__(self, case: Case) -> None:
        self.recipe = case.recipe()
        self.classes = case.number_of_classes()
        with on_host():
            self.model = compiled_network(self.recipe, self.classes)

    def flops(self, training: bool) -> float:
        """Returns the operations of an image: two a multiply-add, three times as many in training.

        Convolutions and dense layers count only. The way back has two products for each one.
        """
        size = self.recipe.train_image_size
        adds = count_multiply_adds(
            recipe_network_config(self.recipe, drop_path_total_steps=STEPS),
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
        data = (*on_device(random_batch(self.recipe, self.classes, batch)), None)
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
        images = on_device(random_batch(self.recipe, self.classes, batch)[0])

        def predict(weights: Any, state: Any, images: Any) -> Any:
            outputs, _ = model.stateless_call(weights, state, images, training=False)
            return outputs["probabilities"]

        call, costs = compile_function(jax.jit(predict), weights, state, images)
        return Compiled(lambda: call(weights, state, images), batch, **costs)

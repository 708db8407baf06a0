"""From a NetworkConfig to a functional Keras model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from nasnet_keras.layers import (
    AuxiliaryHead,
    BatchNormalization,
    Cell,
    ClassifierHead,
    DropPathSchedule,
)
from nasnet_keras.layers.initializer import FanOutTruncatedNormal
from nasnet_keras.models.complexity import count_parameters
from nasnet_keras.models.config import MOST_PARAMETERS, NetworkConfig
from nasnet_keras.models.feature_sizes import check_input_size
from nasnet_keras.models.layerwise_builder import apply_layers
from nasnet_keras.models.layerwise_config import LayerwiseConfig
from nasnet_keras.models.plan import plan_network
from nasnet_keras.settings import Count, check_value
from nasnet_keras.text.suggestions import unknown_name

POOLINGS = ("avg", "max")


def build_network(
    config: NetworkConfig | LayerwiseConfig,
    classes: int = 1001,
    input_shape: Sequence[int | None] | None = None,
    include_top: bool = True,
    pooling: str | None = None,
    classifier_activation: Any = "softmax",
    auxiliary_head: bool = False,
    input_tensor: Any = None,
    name: str | None = None,
    name_prefix: str = "",
) -> keras.Model:
    """Builds a network.

    Source: slim `nasnet._build_nasnet_base`, `pnasnet._build_pnasnet_base`; Zoph and Le 2017.

    Args:
        config: The network.
        classes: Number of classes.
        input_shape: `(height, width, channels)`, channels first if that is Keras's data format.
            Height and width may be `None`. Default: `(None, None, 3)`.
        include_top: Whether the classifier is part of the model. Without it the output is the last
            cell's features after a ReLU, or the unread layers', pooled as `pooling` says.
        pooling: `None`, `"avg"` or `"max"`; read only where `include_top=False`.
        classifier_activation: Activation of the classifier, `None` for logits; not read without
            the classifier or with the auxiliary head.
        auxiliary_head: Adds the auxiliary classifier; the model then returns
            `{"logits": (batch, classes), "auxiliary_logits": (batch, classes)}`. It needs a fixed
            input size and `include_top=True`.
        input_tensor: A Keras tensor to use as the input.
        name: Name of the model. Default: the genotype's.
        name_prefix: Put before the name of every layer, so that two networks on one input can be
            parts of one model. Loaders, `endpoints` and checkpoints do not see it.

    Returns:
        The model. Its variables' paths are slim's scopes; of a layer-wise network `layer_0/conv`,
        `layer_0/bn`, and so on.

    Raises:
        ValueError: Arguments contradict one another, the input is too small, or the network is far
            larger than any published one.
    """
    if "/" in name_prefix:
        raise ValueError(f"name_prefix has no '/', which separates scopes, got {name_prefix!r}")
    if pooling is not None and pooling not in POOLINGS:
        raise ValueError(unknown_name("pooling", pooling, POOLINGS))
    check_value("classes", Count, classes)
    if auxiliary_head and not include_top:
        raise ValueError("auxiliary_head=True needs include_top=True: it is a second classifier")
    layerwise = isinstance(config, LayerwiseConfig)
    if auxiliary_head and layerwise:
        raise ValueError("auxiliary_head=True needs cells: a layer-wise network has no such head")
    inputs = _make_input(input_shape, input_tensor)
    check_input_size(config, inputs.shape[1:], auxiliary_head)
    if not layerwise and config.padding != "slim" and None in inputs.shape[1:]:
        raise ValueError(
            f"padding={config.padding!r} needs a fixed input size, got {tuple(inputs.shape[1:])}"
        )
    parameters = count_parameters(config, classes, include_top)
    if parameters > MOST_PARAMETERS:
        raise ValueError(
            f"a network has at most {MOST_PARAMETERS:,} parameters, got {parameters:,}"
        )
    auxiliary = None
    if isinstance(config, LayerwiseConfig):
        # Its layers end with their ReLU.
        x = apply_layers(inputs, config, name_prefix)
    else:
        auxiliary_classes = classes if auxiliary_head else None
        features, auxiliary = _apply_cells(inputs, config, auxiliary_classes, name_prefix)
        activation = "relu6" if config.bounded_activation else "relu"
        x = keras.layers.Activation(activation, name=f"{name_prefix}final_activation")(features)
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name=f"{name_prefix}global_pool")(x)
        logits = ClassifierHead(classes, config.dropout, name=f"{name_prefix}final_layer")(x)
        # float32 also under mixed precision: a softmax or a loss on half floats loses digits.
        if auxiliary is not None:
            outputs = {
                key: keras.layers.Activation("linear", dtype="float32", name=f"{name_prefix}{key}")(
                    x
                )
                for key, x in (("logits", logits), ("auxiliary_logits", auxiliary))
            }
        else:
            outputs = keras.layers.Activation(
                classifier_activation, dtype="float32", name=f"{name_prefix}predictions"
            )(logits)
    elif pooling == "avg":
        outputs = keras.layers.GlobalAveragePooling2D(name=f"{name_prefix}global_pool")(x)
    elif pooling == "max":
        outputs = keras.layers.GlobalMaxPooling2D(name=f"{name_prefix}global_max_pool")(x)
    else:
        outputs = x
    source = [inputs] if input_tensor is None else keras.utils.get_source_inputs(input_tensor)
    # A list of one would make Keras expect lists of images.
    source = source[0] if len(source) == 1 else source
    return keras.Model(source, outputs, name=name or config.genotype.name)


def _make_input(input_shape: Sequence[int | None] | None, input_tensor: Any) -> Any:
    if input_tensor is not None:
        if not keras.backend.is_keras_tensor(input_tensor):
            raise ValueError(
                f"input_tensor is the output of keras.Input or of a layer, got {input_tensor!r}"
            )
        if len(input_tensor.shape) != 4:
            raise ValueError(f"input_tensor has rank 4, got shape {tuple(input_tensor.shape)}")
        return input_tensor
    if input_shape is None:
        channels_last = keras.config.image_data_format() == "channels_last"
        input_shape = (None, None, 3) if channels_last else (3, None, None)
    if not isinstance(input_shape, Sequence) or len(input_shape) != 3:
        raise ValueError(f"input_shape is (height, width, channels), got {input_shape!r}")
    channels_last = keras.config.image_data_format() == "channels_last"
    channels = input_shape[-1 if channels_last else 0]
    if not isinstance(channels, int) or channels < 1:
        raise ValueError(f"input_shape needs a known number of channels, got {input_shape!r}")
    return keras.Input(tuple(input_shape), name="image")


def _apply_cells(
    inputs: Any, config: NetworkConfig, auxiliary_classes: int | None, prefix: str
) -> tuple[Any, Any]:
    """Applies stem and cells; returns the last output and the auxiliary logits or `None`."""
    plan = plan_network(config)
    settings: dict[str, Any] = {
        "batch_norm_momentum": config.batch_norm_momentum,
        "batch_norm_epsilon": config.batch_norm_epsilon,
        "bounded_activation": config.bounded_activation,
        "data_format": keras.config.image_data_format(),
    }
    step = None
    if config.drop_path_keep_probability < 1:
        step = DropPathSchedule(name=f"{prefix}drop_path_schedule")(inputs)
    outputs = [_apply_stem_convolution(inputs, config, prefix)]
    auxiliary = None
    for planned in plan.cells:
        drop_path = None
        if step is not None:
            drop_path = {
                "keep_probability": config.drop_path_keep_probability,
                "version": config.drop_path_version,
                "total_steps": config.drop_path_total_steps,
                "cell_number": planned.number,
                "total_cells": plan.total_cells,
            }
        cell = Cell(
            planned.genotype,
            planned.filters,
            planned.strides,
            planned.previous_reduction,
            config.bottleneck,
            drop_path,
            config.rematerialize,
            config.padding,
            name=f"{prefix}{planned.name}",
            **settings,
        )
        reads = [outputs[planned.current]]
        if planned.genotype.num_inputs == 4:
            reads = reads[0] if isinstance(reads[0], list) else reads
        elif planned.previous is not None:
            reads.append(outputs[planned.previous])
        outputs.append(cell(reads) if step is None else cell(reads, step=step))
        if auxiliary_classes and planned.auxiliary:
            name = f"{prefix}{planned.auxiliary}"
            head = AuxiliaryHead(auxiliary_classes, name=name, **settings)
            auxiliary = head(_joined(outputs[-1], f"{prefix}{planned.name}_states"))
    return _joined(outputs[-1], f"{prefix}final_states"), auxiliary


def _apply_stem_convolution(inputs: Any, config: NetworkConfig, prefix: str) -> Any:
    """Applies the convolution and BN with which slim's stems begin."""
    imagenet = config.stem == "imagenet"
    x = keras.layers.Conv2D(
        config.stem_filters,
        3,
        strides=2 if imagenet else 1,
        padding="valid" if imagenet else "same",
        use_bias=False,
        kernel_initializer=FanOutTruncatedNormal(),
        name=f"{prefix}{'conv0' if imagenet else 'l1_stem_3x3'}",
    )(inputs)
    return BatchNormalization(
        axis=-1 if keras.config.image_data_format() == "channels_last" else 1,
        momentum=config.batch_norm_momentum,
        epsilon=config.batch_norm_epsilon,
        name=f"{prefix}{'conv0_bn' if imagenet else 'l1_stem_bn'}",
    )(x)


def _joined(output: Any, name: str) -> Any:
    """Concatenates the states of a cell that returns several."""
    if not isinstance(output, list):
        return output
    axis = -1 if keras.config.image_data_format() == "channels_last" else 1
    return keras.layers.Concatenate(axis, name=name)(output)

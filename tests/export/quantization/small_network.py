"""A small classifier of the digits as arrays, in each format; only its last layer is trained."""

import functools
from dataclasses import dataclass

import numpy as np

from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.data.sources.registry import load_dataset
from nasnet_keras.data.streams.evaluation_batches import batches_in_memory
from nasnet_keras.export.quantization import QuantizationPictures

SIZE = 16
CHANNELS = 12
DEPTHWISE = "depthwise"
POINTWISE = tuple(f"pointwise_{number}" for number in range(5))


@dataclass(frozen=True)
class Weights:
    """Kernels `(height, width, in, out)` by layer, of the classifier `(in, out)`."""

    kernels: dict[str, np.ndarray]
    classifier: np.ndarray
    bias: np.ndarray


@functools.cache
def pictures():
    images = load_dataset("digits", "train").images[:64]
    calibration = np.asarray(preprocess(images, "scale", SIZE), np.float32)
    return QuantizationPictures(
        calibration, batches_in_memory(load_dataset("digits", "test"), "scale", SIZE)
    )


@functools.cache
def trained_weights():
    from sklearn.linear_model import RidgeClassifier

    random = np.random.default_rng(0)

    def kernel(*shape):
        fan_in = shape[0] * shape[1] * shape[2]
        return (random.normal(size=shape) * (2 / fan_in) ** 0.5).astype(np.float32)

    kernels = {"first": kernel(3, 3, 3, CHANNELS), DEPTHWISE: kernel(3, 3, 1, CHANNELS)}
    kernels |= {name: kernel(1, 1, CHANNELS, CHANNELS) for name in POINTWISE}
    untrained = Weights(kernels, np.eye(8 * 8 * CHANNELS, dtype=np.float32), np.float32(0))
    dataset = load_dataset("digits", "train")
    images = np.asarray(preprocess(dataset.images, "scale", SIZE), np.float32)
    features = tensorflow_function(untrained)(images)["logits"].numpy()
    fitted = RidgeClassifier(alpha=30.0).fit(features / features.std(), dataset.labels)
    return Weights(
        kernels,
        (fitted.coef_.T / features.std()).astype(np.float32),
        fitted.intercept_.astype(np.float32),
    )


def with_one_loud_channel(weights, loudness=1e3):
    """Returns weights of the same function, with one channel between two layers far larger."""
    kernels = dict(weights.kernels)
    kernels[POINTWISE[1]] = kernels[POINTWISE[1]].copy()
    kernels[POINTWISE[1]][..., 0] *= loudness
    kernels[POINTWISE[2]] = kernels[POINTWISE[2]].copy()
    kernels[POINTWISE[2]][:, :, 0] /= loudness
    return Weights(kernels, weights.classifier, weights.bias)


def tensorflow_function(weights):
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((None, SIZE, SIZE, 3), tf.float32, name="images")])
    def classify(images):
        x = images
        for name, kernel in weights.kernels.items():
            if name == DEPTHWISE:
                kernel = kernel.transpose(0, 1, 3, 2)
                x = tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "SAME", name=name)
            else:
                stride = 2 if name == "first" else 1
                x = tf.nn.conv2d(x, kernel, stride, "SAME", name=name)
            x = tf.nn.relu(x)
        logits = tf.linalg.matmul(tf.reshape(x, (-1, len(weights.classifier))), weights.classifier)
        return {"logits": logits + weights.bias}

    return classify


def onnx_model(weights):
    from onnx import TensorProto, helper, numpy_helper

    nodes = [helper.make_node("Transpose", ["images"], ["nchw"], name="nchw", perm=(0, 3, 1, 2))]
    constants = {"classifier/kernel": weights.classifier, "classifier/bias": weights.bias}
    x = "nchw"
    for name, kernel in weights.kernels.items():
        constants[f"{name}/kernel"] = kernel.transpose(3, 2, 0, 1)
        first, depthwise = name == "first", name == DEPTHWISE
        side = kernel.shape[0] // 2
        nodes.append(
            helper.make_node(
                *("Conv", [x, f"{name}/kernel"], [name]),
                name=name,
                group=CHANNELS if depthwise else 1,
                strides=[2, 2] if first else [1, 1],
                pads=[0, 0, 1, 1] if first else [side] * 4,
            )
        )
        nodes.append(helper.make_node("Relu", [name], [f"{name}/relu"], name=f"{name}/relu"))
        x = f"{name}/relu"
    nodes += [
        helper.make_node("Transpose", [x], ["nhwc"], name="nhwc", perm=(0, 2, 3, 1)),
        helper.make_node("Flatten", ["nhwc"], ["flat"], name="flat"),
        helper.make_node(
            "Gemm", ["flat", "classifier/kernel", "classifier/bias"], ["logits"], name="classifier"
        ),
    ]
    graph = helper.make_graph(
        nodes,
        "digits",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", SIZE, SIZE, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        [numpy_helper.from_array(np.ascontiguousarray(v), k) for k, v in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def network(file_format, weights):
    """Returns what `quantize` takes."""
    if file_format == "onnx":
        return onnx_model(weights)
    if file_format == "openvino":
        import openvino

        core = openvino.Core()
        return core.read_model(onnx_model(weights).SerializeToString())
    return tensorflow_function(weights).get_concrete_function()

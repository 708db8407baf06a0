"""What the tests of exported classifiers share."""

import io

import numpy as np
from PIL import Image

from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.models import inference_model

NAMES = ("nought", "one", "two", "three", "four", "five", "six")


def encode(pixels, file_format="PNG"):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, file_format)
    return stream.getvalue()


def expected_probabilities(trained, pictures):
    images = preprocess(pictures, "scale", 16)
    return np.asarray(inference_model(trained.model)(images)["probabilities"])

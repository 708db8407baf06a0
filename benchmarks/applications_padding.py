"""How far is `padding="keras_applications"` from keras.applications' own numbers?

Builds keras.applications' networks with random weights, loads them into ours and prints, for one
image, the largest difference of the logits beside their deviation. Aim: 1e-5. Then both networks in
float64: how far they are from each other there, and how far each one's float32 is from its float64.

    python benchmarks/applications_padding.py [--output=padding.json]
"""

from __future__ import annotations

from typing import Any

from absl import flags
from measurement import check_output, write_json

import nasnet_keras as nk
from nasnet_keras.programs.command_line import run

_OUTPUT = flags.DEFINE_string("output", None, "JSON file to write.")
_NETWORKS = {"nasnet_mobile": "NASNetMobile", "nasnet_large": "NASNetLarge"}
_SIZES = {
    "nasnet_mobile": ((224, 224), (331, 331), (225, 225), (97, 99)),
    "nasnet_large": ((331, 331), (224, 224), (225, 243)),
}


_COLUMNS = ("difference", "deviation", "in_float64", "theirs_from_float64", "ours_from_float64")


def main(_: list[str]) -> None:
    check_output(_OUTPUT.value)
    rows = [measure(name, size) for name, sizes in _SIZES.items() for size in sizes]
    for row in rows:
        numbers = (f"{row[name]:.1e}" for name in _COLUMNS)
        print(f"| {row['network']} | {row['size']} | {' | '.join(numbers)} |", flush=True)
    if _OUTPUT.value:
        write_json(_OUTPUT.value, rows)


def measure(name: str, size: tuple[int, int]) -> dict[str, Any]:
    import keras
    import numpy as np

    shape = (*size, 3)
    images = np.random.default_rng(2).uniform(-1, 1, (1, *shape)).astype("float32")
    keras.utils.set_random_seed(0)
    theirs, ours = networks(name, shape, "float32")
    expected, found = (model.predict(images, verbose=0) for model in (theirs, ours))
    theirs, ours = networks(name, shape, "float64", theirs.get_weights())
    # Its output is float32 whatever it computes in.
    ours = keras.Model(ours.input, nk.endpoints(ours)["Logits"])
    expected_64, found_64 = (np.asarray(model(images)) for model in (theirs, ours))
    keras.config.set_dtype_policy("float32")
    assert expected_64.dtype == found_64.dtype == np.float64

    def largest(difference: Any) -> float:
        return float(np.abs(difference).max())

    return {
        "network": name,
        "size": "x".join(map(str, size)),
        "difference": largest(found - expected),
        "deviation": float(expected.std()),
        "in_float64": largest(found_64 - expected_64),
        "theirs_from_float64": largest(expected - expected_64),
        "ours_from_float64": largest(found - found_64),
    }


def networks(name: str, shape: tuple[int, ...], dtype: str, weights: Any = None) -> Any:
    """Returns keras.applications' network and ours, with the same weights."""
    import keras

    keras.backend.clear_session()
    keras.config.set_dtype_policy(dtype)
    build = getattr(keras.applications, _NETWORKS[name])
    theirs = build(shape, weights=None, classifier_activation=None)
    if weights is not None:
        theirs.set_weights(weights)
    ours = nk.create_model(
        name, 1000, shape, classifier_activation=None, padding="keras_applications"
    )
    nk.load_keras_applications_weights(ours, theirs)
    return theirs, ours


if __name__ == "__main__":
    run(main)

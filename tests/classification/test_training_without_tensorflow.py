"""Training on JAX in a process that has no TensorFlow."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nasnet_keras.training.compilation_cache import FIRST_VERSION
from tests.data.record_files import write_image_folder

WITHOUT_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
from pathlib import Path
from nasnet_keras.classification.classifier import load_classifier
from nasnet_keras.classification import RunOptions
from nasnet_keras.classification import get_recipe
from nasnet_keras.classification.trainer import train
from tests.one_block_cells import GENOTYPE

directory = Path(sys.argv[1])
recipe = get_recipe("digits").override(
    genotype=GENOTYPE, num_cells=2, filters=2, stem_filters=4, batch_size=512,
    max_number_of_steps=3, auxiliary_weight=0.0,
)
options = RunOptions(tensorboard=False)
result = train(recipe, directory, options=options)
again = train(recipe, directory, options=options)
assert (again.confusion == result.confusion).all()
sample = next((directory / "samples").iterdir())
print(load_classifier(directory, top_k=2).classify(sample.read_bytes()))
"""

A_FOLDER_WITHOUT_TENSORFLOW = """
import json, signal, sys
sys.modules["tensorflow"] = None
from pathlib import Path
import keras
from nasnet_keras.classification import RunOptions, get_recipe
from nasnet_keras.classification.trainer import train

class Kill(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 1:
            signal.raise_signal(signal.SIGTERM)

directory = Path(sys.argv[1])
recipe = get_recipe("digits").override(
    num_cells=2, filters=2, stem_filters=4, batch_size=3, max_number_of_steps=5,
    auxiliary_weight=0.0, dataset_name="image_folder", evaluation_split_name="validation",
    preprocessing_name="inception", train_image_size=8, augmentation="none",
)
options = RunOptions(tensorboard=False, dataset_dir=sys.argv[2])
whole = train(recipe, directory / "whole", options=options)
assert whole.images == 12
assert train(recipe, directory / "cut", options=options, callbacks=[Kill()]) is None
again = train(recipe, directory / "cut", options=options)
assert (again.confusion == whole.confusion).all() and again.loss == whole.loss

# Images that TensorFlow reads would come in another order.
config = directory / "cut" / "config.json"
content = json.loads(config.read_text())
assert content["read_by"] == "python"
config.write_text(json.dumps(content | {"read_by": "tensorflow"}))
try:
    train(recipe, directory / "cut", options=options)
except ValueError as error:
    print(error)
"""


def run_on_jax(code: str, directory: Path, *arguments: Path) -> str:
    jax = pytest.importorskip("jax")
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        # The runs of a test compile the same network.
        "JAX_COMPILATION_CACHE_DIR": str(directory / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_ENABLE_COMPILATION_CACHE": str(jax.__version_info__ >= FIRST_VERSION).lower(),
    }
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, (directory, *arguments))],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_jax_trains_resumes_and_classifies_where_tensorflow_is_not_installed(tmp_path):
    output = run_on_jax(WITHOUT_TENSORFLOW, tmp_path)
    log = (tmp_path / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == [2, 3]
    assert len(eval(output.splitlines()[-1])) == 2


def test_jax_trains_on_a_folder_where_tensorflow_is_not_installed(tmp_path):
    write_image_folder(tmp_path / "images")
    output = run_on_jax(A_FOLDER_WITHOUT_TENSORFLOW, tmp_path, tmp_path / "images")
    refused = output.splitlines()[-1]
    assert refused.startswith("TensorFlow, which reads the images and decides their order, is not")

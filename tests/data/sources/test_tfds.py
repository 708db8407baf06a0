"""What TensorFlow Datasets itself writes and reads, we read alike."""

import sys

import numpy as np
import pytest

from nasnet_keras.data import load_dataset
from nasnet_keras.data.sources.cifar import load_records
from nasnet_keras.data.sources.tfds_files import TfdsFiles, prepare_tfds
from nasnet_keras.data.streams.pipeline import image_batches

pytestmark = pytest.mark.tensorflow


def test_dataset_that_tfds_prepares_is_streamed(tmp_path):
    tfds = pytest.importorskip("tensorflow_datasets")
    images = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 3)).astype(np.uint8)

    class SixPictures(tfds.core.GeneratorBasedBuilder):
        """Six pictures of two classes."""

        VERSION = tfds.core.Version("1.2.3")

        def _info(self):
            features = {
                "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
                "label": tfds.features.ClassLabel(names=["even", "odd"]),
            }
            return tfds.core.DatasetInfo(
                builder=self,
                features=tfds.features.FeaturesDict(features),
                supervised_keys=("image", "label"),
            )

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for number, image in enumerate(images):
                yield number, {"image": image, "label": number % 2}

    stream = image_batches(
        "six_pictures", "train", tmp_path, "scale", 8, 6, training=False, download=True
    )
    assert stream.class_names == ("even", "odd")
    ((pixels, labels),) = stream
    expected = tfds.load("six_pictures", split="train", data_dir=tmp_path, download=False)
    for pixel, label, example in zip(pixels, labels, expected, strict=True):
        np.testing.assert_array_equal(np.round((pixel + 1) * 127.5), example["image"])
        assert label == example["label"]
    found = TfdsFiles.find(tmp_path, "six_pictures")
    assert found is not None and found.root.name == "1.2.3"
    in_memory = load_records(found.read(found.parse("train")))
    np.testing.assert_array_equal(in_memory.images, np.round((pixels + 1) * 127.5))


def test_real_cifar10_is_what_tfds_reads(real_data):
    tfds = pytest.importorskip("tensorflow_datasets")
    part = load_dataset("cifar10", "test[:50]", real_data / "tfds")
    expected = tfds.load(
        "cifar10", split="test[:50]", data_dir=real_data / "tfds", download=False
    ).as_numpy_iterator()
    for image, label, example in zip(part.images, part.labels, expected, strict=True):
        assert label == example["label"]
        # Two JPEG decoders.
        assert np.abs(image.astype(int) - example["image"]).mean() < 3


def test_download_without_tfds_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ValueError, match=r"pip install 'nasnet-keras\[data\]'"):
        load_dataset("cifar10", "train", tmp_path, download=True)


def test_download_of_what_tfds_does_not_know_is_refused(tmp_path):
    pytest.importorskip("tensorflow_datasets")
    with pytest.raises(ValueError, match="has no dataset 'no_such_pictures'"):
        prepare_tfds("no_such_pictures", tmp_path)

"""A packed CIFAR that is damaged is refused in one line."""

import io

import numpy as np
import pytest

from nasnet_keras.data.sources.cifar import PackedCifar

IMAGES = np.zeros((4, 32, 32, 3), np.uint8)
LABELS = np.array([0, 1, 1, 0])


def packed(**arrays):
    parts = {"train_images": IMAGES, "train_labels": LABELS, "class_names": np.array(["a", "b"])}
    file = io.BytesIO()
    np.savez(file, **{name: value for name, value in (parts | arrays).items() if value is not None})
    return file.getvalue()


def array():
    file = io.BytesIO()
    np.save(file, IMAGES)
    return file.getvalue()


def load(folder, content):
    (folder / "cifar10.npz").write_bytes(content)
    source = PackedCifar("cifar10", folder)
    return source.load(source.parse("train"))


def test_what_is_whole_is_read(tmp_path):
    dataset = load(tmp_path, packed())
    assert dataset.class_names == ("a", "b") and dataset.labels.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is damaged"),
        (b"\x80\x04pickle", "is damaged"),
        (packed()[:700], "is damaged"),
        (packed().replace(b"\0" * 64, b"\1" * 64, 1), "is damaged"),
        (array(), "is damaged: it is no archive of arrays"),
        (packed(train_labels=None), "is damaged: it lacks the array train_labels"),
        (packed(class_names=np.array([{}])), "is damaged: .*pickle"),
        (packed(train_images=IMAGES[..., 0]), r"not uint8 of shape \(4, 32, 32\)"),
        (packed(train_images=IMAGES * 0.5), "not float64 of shape"),
        (packed(train_labels=LABELS[:3]), r"labels are integers of shape \(4,\), not int64"),
        (packed(train_labels=LABELS + 1), "labels are 0 to 1, not 1 to 2"),
    ],
)
def test_damage_is_one_line_with_the_file(tmp_path, content, message):
    with pytest.raises(ValueError, match=message) as caught:
        load(tmp_path, content)
    assert str(tmp_path / "cifar10.npz") in str(caught.value)

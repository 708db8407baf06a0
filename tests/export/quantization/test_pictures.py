"""Which pictures a quantization takes, and which folders it refuses."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.classification.trained_model import TrainedModel
from nasnet_keras.data.preprocessing import preprocess
from nasnet_keras.export.quantization import quantization_pictures

SIZE = 8
TRAINED = TrainedModel(
    model=None,
    class_names=("cat", "dog", "eel"),
    image_size=SIZE,
    preprocessing_name="scale",
)
DIGITS = replace(
    TRAINED,
    class_names=tuple("0123456789"),
    dataset_name="digits",
    training_split_name="train",
    evaluation_split_name="test",
)


def write(folder, count, shade=0):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = np.full((6, 10, 3), shade + number, np.uint8)
        Image.fromarray(pixels).save(folder / f"{shade}_{number}.png")


@pytest.fixture
def evaluation(tmp_path):
    # Of two classes only, and not the first.
    for shade, name in ((100, "dog"), (200, "eel")):
        write(tmp_path / "evaluation" / name, 50, shade)
    return tmp_path / "evaluation"


def shades(images):
    return sorted(np.round((images[:, 0, 0, 0] + 1) * 127.5).astype(int).tolist())


def test_a_folder_calibrates_with_or_without_classes(tmp_path, evaluation):
    write(tmp_path / "flat", 40)
    found = quantization_pictures(TRAINED, tmp_path / "flat", evaluation)
    assert found.calibration.shape == (40, SIZE, SIZE, 3)
    assert found.calibration.dtype == np.float32
    assert shades(found.calibration) == list(range(40))
    write(tmp_path / "classes" / "cat", 20)
    write(tmp_path / "classes" / "eel", 20, 50)
    found = quantization_pictures(TRAINED, tmp_path / "classes", evaluation)
    assert shades(found.calibration) == [*range(20), *range(50, 70)]


def test_folders_named_by_class_have_the_network_s_labels(tmp_path, evaluation):
    write(tmp_path / "flat", 32)
    held_out = quantization_pictures(TRAINED, tmp_path / "flat", evaluation).held_out
    assert held_out.num_examples == 100 and held_out.class_names == TRAINED.class_names
    for images, labels in held_out:
        dog = np.round((images[:, 0, 0, 0] + 1) * 127.5) < 200
        np.testing.assert_array_equal(labels, np.where(dog, 1, 2))


def test_photographs_calibrate_upright(tmp_path, evaluation):
    write(tmp_path / "turned", 32)
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[:4] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    for number in range(32):
        path = tmp_path / "turned" / f"0_{number}.png"
        Image.fromarray(pixels).save(path, exif=exif)
    upright = np.asarray(preprocess(np.rot90(pixels, -1)[np.newaxis], "scale", SIZE))[0]
    found = quantization_pictures(TRAINED, tmp_path / "turned", evaluation).calibration
    np.testing.assert_array_equal(found[3], upright)
    as_stored = replace(TRAINED, exif_orientation=False)
    found = quantization_pictures(as_stored, tmp_path / "turned", evaluation).calibration
    np.testing.assert_array_equal(found[3][:4], np.ones((4, SIZE, 3)))


def test_files_that_cannot_be_read_are_told_and_left_out(tmp_path, evaluation, caplog):
    write(tmp_path / "flat", 33)
    (tmp_path / "flat" / "0_7.png").write_bytes(b"no picture")
    found = quantization_pictures(TRAINED, tmp_path / "flat", evaluation)
    assert shades(found.calibration) == [number for number in range(33) if number != 7]
    assert "0_7.png (not a readable image" in caplog.text
    (tmp_path / "flat" / "0_8.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"has 31 pictures to calibrate on.*0_8\.png"):
        quantization_pictures(TRAINED, tmp_path / "flat", evaluation)


def test_pictures_of_other_classes_are_refused(tmp_path, evaluation):
    write(tmp_path / "other" / "cow", 40)
    with pytest.raises(ValueError, match="no classes of the network: 'cow'; its classes are 'cat'"):
        quantization_pictures(TRAINED, tmp_path / "other", evaluation)
    write(tmp_path / "flat", 32)
    write(evaluation / "hen", 1)
    with pytest.raises(ValueError, match="no classes of the network: 'hen'"):
        quantization_pictures(TRAINED, tmp_path / "flat", evaluation)


def test_too_few_pictures_are_refused(tmp_path, evaluation):
    write(tmp_path / "flat", 31)
    with pytest.raises(ValueError, match="has 31 pictures to calibrate on, expected at least 32"):
        quantization_pictures(TRAINED, tmp_path / "flat", evaluation)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="holds no picture"):
        quantization_pictures(TRAINED, tmp_path / "empty", evaluation)
    write(tmp_path / "flat", 32)
    write(tmp_path / "few" / "cat", 40)
    with pytest.raises(ValueError, match=r"40 held-out pictures are too few.*at least 100"):
        quantization_pictures(TRAINED, tmp_path / "flat", tmp_path / "few")
    found = quantization_pictures(
        TRAINED, tmp_path / "flat", tmp_path / "few", max_accuracy_loss=2.5
    )
    assert found.held_out.num_examples == 40


def test_what_calibrates_does_not_score(evaluation):
    for folder in (evaluation, evaluation / "dog"):
        with pytest.raises(ValueError, match="share pictures"):
            quantization_pictures(TRAINED, folder, evaluation)


def test_splits_of_the_run_are_taken_where_no_folder_is_named():
    found = quantization_pictures(DIGITS)
    assert found.calibration.shape == (300, SIZE, SIZE, 3)
    assert (found.held_out.dataset, found.held_out.split) == ("digits", "test")
    assert found.held_out.num_examples == 360


def test_a_network_without_a_dataset_needs_folders(tmp_path, evaluation):
    with pytest.raises(ValueError, match="does not name its dataset: give evaluation_dir"):
        quantization_pictures(TRAINED, evaluation)
    with pytest.raises(ValueError, match="does not name its dataset: give calibration_dir"):
        quantization_pictures(TRAINED, None, evaluation)

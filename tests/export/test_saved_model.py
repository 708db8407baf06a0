"""The SavedModel, as a program without this package would use it, and what is refused."""

import io
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from nasnet_keras.classification.classifier import load_classifier
from nasnet_keras.classification.trained_model import load_trained_model
from nasnet_keras.export import export_saved_model
from nasnet_keras.models import inference_model
from tests.export.encoded_pictures import NAMES, encode, expected_probabilities

tf = pytest.importorskip("tensorflow")
pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="written by TensorFlow"),
]


def test_signatures_are_named_and_typed_as_documented(saved):
    signatures = tf.saved_model.load(str(saved)).signatures
    assert {"serving_default", "serve_bytes"} <= set(signatures)
    (image,) = signatures["serving_default"].structured_input_signature[1].values()
    assert (image.name, image.dtype, image.shape.as_list()) == (
        "images",
        tf.float32,
        [None, 16, 16, 3],
    )
    (encoded,) = signatures["serve_bytes"].structured_input_signature[1].values()
    assert (encoded.name, encoded.dtype, encoded.shape.as_list()) == (
        "image_bytes",
        tf.string,
        [None],
    )
    assert set(signatures["serving_default"].structured_outputs) == {"logits", "probabilities"}
    outputs = {"classes", "names", "scores", "status"}
    assert set(signatures["serve_bytes"].structured_outputs) == outputs


def test_float_signature_answers_as_the_network(saved, trained):
    images = np.random.default_rng(1).uniform(-1, 1, (3, 16, 16, 3)).astype(np.float32)
    answer = tf.saved_model.load(str(saved)).signatures["serving_default"](images=images)
    network = inference_model(trained.model)(images)
    for name in ("logits", "probabilities"):
        np.testing.assert_allclose(answer[name], np.asarray(network[name]), atol=1e-5)
    assert 0.01 < np.ptp(answer["probabilities"], axis=1).min() < 0.99


def test_bytes_signature_decodes_resizes_and_names_the_best(saved, trained, pictures):
    signature = tf.saved_model.load(str(saved)).signatures["serve_bytes"]
    small = pictures[1, :9, :11]
    answer = signature(image_bytes=tf.constant([encode(pictures[0]), encode(small)]))
    expected = np.concatenate(
        [expected_probabilities(trained, p[np.newaxis]) for p in (pictures[0], small)]
    )
    best = np.argsort(-expected, axis=1)[:, :3]
    np.testing.assert_array_equal(answer["classes"], best)
    np.testing.assert_allclose(answer["scores"], np.take_along_axis(expected, best, 1), atol=1e-5)
    names = [[name.decode() for name in row] for row in answer["names"].numpy()]
    assert names == [[NAMES[i] for i in row] for row in best]


@pytest.mark.parametrize("kind", ["grey", "palette", "alpha", "jpeg"])
def test_every_kind_of_picture_reaches_the_network_as_three_channels(saved, trained, kind):
    pixels = np.random.default_rng(9).integers(0, 256, (16, 16), np.uint8)
    image = Image.fromarray(pixels).resize((16, 16))
    mode, file_format = {
        "grey": ("L", "PNG"),
        "palette": ("P", "PNG"),
        "alpha": ("RGBA", "PNG"),
        "jpeg": ("RGB", "JPEG"),
    }[kind]
    encoded = encode(np.asarray(image.convert("L")), file_format)
    if mode != "RGB":
        stream = io.BytesIO()
        image.convert(mode).save(stream, file_format)
        encoded = stream.getvalue()
    decoded = np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))
    expected = np.sort(expected_probabilities(trained, decoded[np.newaxis])[0])[::-1][:3]
    answer = load_classifier(saved).classify(encoded)
    np.testing.assert_allclose([score for _, score in answer], expected, atol=1e-5)


def test_keras_file_and_saved_model_give_the_same_answer(saved, trained, pictures, tmp_path):
    trained.model.save(tmp_path / "model.keras")
    encoded = encode(pictures[0])
    ours = load_classifier(tmp_path / "model.keras", top_k=3).classify(encoded)
    theirs = load_classifier(saved, top_k=3).classify(encoded)
    assert [name for name, _ in ours] == [f"class {NAMES.index(name)}" for name, _ in theirs]
    np.testing.assert_allclose([s for _, s in ours], [s for _, s in theirs], atol=1e-5)


def test_names_of_the_classes_lie_beside_the_graph(saved):
    assert (saved / "assets.extra" / "labels.txt").read_text().split() == list(NAMES)


def test_directory_that_is_not_empty_is_left_alone(saved, trained):
    before = sorted(saved.rglob("*"))
    with pytest.raises(ValueError, match="is not empty"):
        export_saved_model(trained, saved)
    assert sorted(saved.rglob("*")) == before


def test_overwriting_replaces_a_saved_model_and_nothing_else(trained, saved, tmp_path):
    thesis = tmp_path / "precious" / "thesis.txt"
    thesis.parent.mkdir()
    thesis.write_text("years of work")
    with pytest.raises(ValueError, match="has other files in it"):
        export_saved_model(trained, thesis.parent, overwrite=True)
    assert thesis.read_text() == "years of work"
    copy = tmp_path / "saved_model"
    shutil.copytree(saved, copy)
    (copy / "assets.extra" / "labels.txt").unlink()
    export_saved_model(trained, copy, overwrite=True)
    assert (copy / "assets.extra" / "labels.txt").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["precious", "saved_model"]


def test_directory_appears_only_when_the_answers_agree(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("nasnet_keras.export.saved_model.TOLERANCE", 0.0)
    with pytest.raises(ValueError, match="differ from the network's"):
        export_saved_model(trained, tmp_path / "saved_model")
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_picture_are_refused(saved, pictures):
    classifier = load_classifier(saved)
    whole, jpeg = encode(pictures[0]), encode(pictures[0], "JPEG")
    for damaged in (b"", b"not a picture", whole[: len(whole) // 2], jpeg[: len(jpeg) // 2]):
        with pytest.raises(ValueError, match="not a readable image"):
            classifier.classify(damaged)


@pytest.mark.parametrize(("mode", "file_format"), [("P", "BMP"), ("RGB", "WEBP"), ("CMYK", "JPEG")])
def test_formats_that_tensorflow_reads_otherwise_are_refused_by_name(saved, mode, file_format):
    stream = io.BytesIO()
    Image.new("RGB", (9, 9), (200, 0, 0)).convert(mode).save(stream, file_format)
    message = "holds a (BMP|WebP|JPEG) image, but serve_bytes takes JPEG .not CMYK., PNG, and BMP"
    with pytest.raises(ValueError, match=message):
        load_classifier(saved).classify(stream.getvalue())


def test_a_graph_without_its_checks_is_not_written(trained, tmp_path, monkeypatch):
    monkeypatch.setattr("nasnet_keras.export.signatures._checked", lambda function, specs: function)
    with pytest.raises(ValueError, match="does not refuse wrong requests; nothing was written"):
        export_saved_model(trained, tmp_path / "saved_model")
    assert list(tmp_path.iterdir()) == []


def test_damaged_network_files_are_refused(trained, tmp_path):
    path = tmp_path / "model.keras"
    trained.model.save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"model\.keras is not a complete \.keras file"):
        load_trained_model(path)
    path.write_bytes(b"text")
    with pytest.raises(ValueError, match=r"not a complete \.keras file"):
        load_classifier(path)
    (tmp_path / "saved_model.pb").write_bytes(b"text")
    with pytest.raises(ValueError, match="is not a complete SavedModel"):
        load_classifier(tmp_path)
    with pytest.raises(FileNotFoundError):
        load_trained_model(tmp_path / "missing.keras")


def test_a_saved_model_whose_weights_are_cut_off_is_refused(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "cut")
    [data] = (tmp_path / "cut" / "variables").glob("variables.data-*")
    data.write_bytes(b"")
    with pytest.raises(ValueError, match="is not a complete SavedModel"):
        load_classifier(tmp_path / "cut")


def test_sixteen_bit_pictures_are_the_same_picture_to_both(saved, trained, tmp_path):
    pixels = np.random.default_rng(4).integers(0, 2**16, (16, 16)).astype("uint16")
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    trained.model.save(tmp_path / "model.keras")
    ours = load_classifier(tmp_path / "model.keras", top_k=3).classify(stream.getvalue())
    theirs = load_classifier(saved, top_k=3).classify(stream.getvalue())
    np.testing.assert_allclose([s for _, s in ours], [s for _, s in theirs], atol=1e-5)


def test_photographs_are_upright_for_both_unless_the_training_did_not_turn_them(
    saved, trained, pictures, tmp_path
):
    tag = Image.Exif()
    tag[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(pictures[0]).save(stream, "PNG", exif=tag)
    plain, turned = encode(pictures[0]), encode(np.rot90(pictures[0], -1))
    trained.model.save(tmp_path / "model.keras")
    as_stored = load_classifier(tmp_path / "model.keras", top_k=3, exif_orientation=False)
    export_saved_model(replace(trained, exif_orientation=False), tmp_path / "stored", top_k=3)
    for classifier, same in (
        (load_classifier(tmp_path / "model.keras", top_k=3), turned),
        (load_classifier(saved, top_k=3), turned),
        (as_stored, plain),
        (load_classifier(tmp_path / "stored", top_k=3), plain),
    ):
        assert classifier.classify(stream.getvalue()) == classifier.classify(same)
    with pytest.raises(ValueError, match="EXIF orientations are fixed"):
        load_classifier(saved, exif_orientation=False)


def test_network_of_fixed_size_refuses_another(trained, tmp_path):
    trained.model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="takes 16 pixels only"):
        load_trained_model(tmp_path / "model.keras", image_size=32)

"""Scores, their files and their pictures."""

import io
import json

import keras
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import nasnet_keras as nk
from nasnet_keras.classification.evaluation import Evaluation, evaluate
from nasnet_keras.classification.evaluation_pictures import Mistake, draw_mistakes
from nasnet_keras.data import ImageDataset, evaluation_batches
from nasnet_keras.data.streams.evaluation_batches import EvaluationBatches, batches_in_memory

SIZE = 4


class Answers(keras.Model):
    """What `inference_model` returns, but the answer is in the image: its first pixels' red."""

    def __new__(cls, classes: int):
        image = keras.Input((SIZE, SIZE, 3))
        logits = keras.ops.reshape(image[..., 0], (-1, SIZE * SIZE))[:, :classes]
        outputs = {"logits": logits, "probabilities": keras.ops.softmax(logits)}
        return keras.Model(image, outputs)


def batches_of(logits, labels, batch_size=3):
    """Batches whose images carry the answers of a network."""
    logits = np.asarray(logits, np.float32)
    count, classes = logits.shape
    images = np.zeros((count, SIZE * SIZE, 3), np.float32)
    images[:, :classes, 0] = logits
    images = images.reshape(count, SIZE, SIZE, 3)
    labels = np.asarray(labels)

    def begin():
        for start in range(0, count, batch_size):
            yield images[start : start + batch_size], labels[start : start + batch_size]

    names = tuple(f"class {n}" for n in range(classes))
    return EvaluationBatches("made", "test", names, count, batch_size, begin)


def random_case(count=10, classes=7, seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=(count, classes)), random.integers(classes, size=count)


def test_accuracies_loss_and_confusion_are_those_of_the_answers():
    logits, labels = random_case()
    result = evaluate(Answers(7), batches_of(logits, labels))
    order = np.argsort(-logits, axis=1)
    assert result.images == 10
    assert result.accuracy == np.mean(order[:, 0] == labels)
    assert result.top_5_accuracy == np.mean((order[:, :5] == labels[:, None]).any(axis=1))
    assert 0 < result.top_5_accuracy < 1
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(probabilities[np.arange(10), labels]).mean()
    assert result.loss == pytest.approx(expected, rel=1e-6)
    confusion = np.zeros((7, 7), int)
    for label, predicted in zip(labels, order[:, 0], strict=True):
        confusion[label, predicted] += 1
    np.testing.assert_array_equal(result.confusion, confusion)


def test_precision_recall_and_f1_of_each_class_and_their_means(tmp_path):
    names = ("cat", "dog", "fox", "owl")
    # Nothing is an owl or taken for one, and nothing is taken for a fox.
    confusion = np.array([[3, 1, 0, 0], [2, 2, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    result = Evaluation("made", "test", names, confusion, 0.5, metrics={"auc": 0.75})
    rows = {row.pop("class"): row for row in result.per_class()}
    assert list(rows) == list(names)
    expected = {
        "cat": (4, 3, 3 / 4, 3 / 6, 3 / 4, 6 / 10),
        "dog": (4, 2, 2 / 4, 2 / 3, 2 / 4, 4 / 7),
        "fox": (1, 0, 0.0, None, 0.0, 0.0),
        "owl": (0, 0, None, None, None, None),
    }
    for name, values in expected.items():
        keys = ("images", "correct", "accuracy", "precision", "recall", "f1")
        assert rows[name] == pytest.approx(dict(zip(keys, values, strict=True))), name
    means = {"precision": 7 / 12, "recall": 1.25 / 3, "f1": (6 / 10 + 4 / 7) / 3}
    result.write(tmp_path)
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["class_means"] == pytest.approx(means)
    assert written["per_class"] == result.per_class() and written["metrics"] == {"auc": 0.75}


def test_metrics_of_the_user_are_computed_of_one_hot_labels_and_probabilities():
    logits, labels = random_case()
    metric = keras.metrics.TopKCategoricalAccuracy(k=2, name="top_2")
    auc = keras.metrics.AUC(name="auc")
    result = evaluate(Answers(7), batches_of(logits, labels), metrics=[metric, auc])
    top_2 = np.argsort(-logits, axis=1)[:, :2]
    assert result.metrics["top_2"] == pytest.approx(np.mean((top_2 == labels[:, None]).any(axis=1)))
    auc.update_state(np.eye(7)[labels], np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))
    assert result.metrics["auc"] == pytest.approx(float(auc.result()))
    assert 0 < result.metrics["auc"] < 1


def test_five_classes_have_no_top_five():
    assert evaluate(Answers(5), batches_of(*random_case(classes=5))).top_5_accuracy is None


def test_of_equal_answers_the_first_classes_are_chosen():
    result = evaluate(Answers(7), batches_of(np.zeros((7, 7)), range(7)))
    assert result.accuracy == 1 / 7 and result.top_5_accuracy == 5 / 7


def test_number_of_batches_can_be_limited():
    logits, labels = random_case()
    result = evaluate(Answers(7), batches_of(logits, labels), max_num_batches=2)
    assert result.images == 6
    first = evaluate(Answers(7), batches_of(logits[:6], labels[:6]))
    assert result.loss == first.loss
    with pytest.raises(ValueError, match="max_num_batches is at least 1, got 0"):
        evaluate(Answers(7), batches_of(logits, labels), max_num_batches=0)


def test_mistakes_come_surest_first_with_names_and_pixels():
    logits = np.zeros((4, 7))
    for row, (predicted, sure) in enumerate([(1, 0.5), (2, 0.9), (3, 0.25), (4, 1.0)]):
        logits[row, predicted] = sure
    result = evaluate(Answers(7), batches_of(logits, [0, 0, 3, 0]), keep_mistakes=2)
    assert [(m.truth, m.predicted) for m in result.mistakes] == [
        ("class 0", "class 4"),
        ("class 0", "class 2"),
    ]
    assert result.mistakes[0].probability == pytest.approx(np.e / (np.e + 6), rel=1e-6)
    image = result.mistakes[1].image
    assert image.dtype == np.uint8
    assert image[0, 2, 0] == round(1.9 * 127.5) and image[0, 3, 0] == 128
    assert evaluate(Answers(7), batches_of(logits, [0, 0, 3, 0])).mistakes == ()


def test_pixels_of_standardized_images_fill_the_range():
    logits, labels = random_case()
    mistakes = evaluate(Answers(7), batches_of(logits * 3, labels), keep_mistakes=1).mistakes
    assert mistakes[0].image.min() == 0 and mistakes[0].image.max() == 255


def test_answers_that_are_no_numbers_are_an_error():
    logits, labels = random_case()
    logits[4, 2] = np.nan
    with pytest.raises(ValueError, match="numbers that are not finite"):
        evaluate(Answers(7), batches_of(logits, labels))


def test_other_number_of_classes_is_an_error():
    with pytest.raises(ValueError, match="the network has 6 classes, dataset made has 7"):
        evaluate(Answers(6), batches_of(*random_case()))


def test_smaller_last_batch_is_not_compiled_for(monkeypatch):
    network = Answers(7)
    sizes = []
    predict = network.predict_on_batch
    monkeypatch.setattr(
        network, "predict_on_batch", lambda images: sizes.append(len(images)) or predict(images)
    )
    evaluate(network, batches_of(*random_case()))
    assert sizes == [3, 3, 3, 3]


def test_bar_moves_on_a_terminal_only():
    for terminal in (True, False):
        console = Console(file=io.StringIO(), force_terminal=terminal, width=80)
        evaluate(Answers(7), batches_of(*random_case()), console=console)
        assert ("evaluating" in console.file.getvalue()) == terminal


def test_network_while_it_trains_is_evaluated_and_trains_on():
    """On JAX the state of a network in training is not in its variables."""
    model = nk.create_model(
        "nasnet_cifar", num_cells=2, filters=2, stem_filters=4, input_shape=(16, 16, 3)
    )
    network = nk.inference_model(model)
    batches = evaluation_batches("digits", "test[:30]", None, "scale", 16, batch_size=20)
    losses = []

    class EveryEpoch(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            assert self.model is model
            losses.append(evaluate(network, batches).loss)

    model.compile("sgd", "sparse_categorical_crossentropy")
    images, labels = next(iter(batches))
    model.fit(images, labels, batch_size=10, epochs=2, verbose=0, callbacks=[EveryEpoch()])
    assert losses[0] != losses[1]
    assert evaluate(model, batches).loss == pytest.approx(losses[1], rel=1e-5)


def made(classes, mistakes=()):
    random = np.random.default_rng(0)
    confusion = np.diag(random.integers(20, 50, classes))
    confusion[1, 2] = 9
    names = tuple(f"n{number:08d}" for number in range(classes))
    return Evaluation("made", "test", names, confusion, 0.5, 0.9, tuple(mistakes))


def test_files_of_few_classes_have_the_whole_matrix(tmp_path):
    mistakes = evaluate(Answers(7), batches_of(*random_case()), keep_mistakes=9).mistakes
    result = made(7, mistakes)
    assert result.write(tmp_path) == ["results.json", "confusion.png", "mistakes.png"]
    written = json.loads((tmp_path / "results.json").read_text())
    assert written["confusion"] == result.confusion.tolist()
    assert written["accuracy"] == result.accuracy and written["top_5_accuracy"] == 0.9
    assert written["most_confused"] == [
        {"class": "n00000001", "taken_for": "n00000002", "images": 9}
    ]
    for name in ("confusion.png", "mistakes.png"):
        with Image.open(tmp_path / name) as picture:
            pixels = np.asarray(picture.convert("L"))
        assert min(pixels.shape) > 300 and max(pixels.shape) < 1600
        assert pixels.min() < 60 and pixels.max() == 255


def test_names_are_drawn_as_they_are(tmp_path):
    names = ("$\\frac{$", "a$b$c", "x\x00\x1b\ny")
    mistake = Mistake(np.zeros((8, 8, 3), np.uint8), names[0], names[2], 0.5)
    for classes in (3, 51):
        every = (*names, *map(str, range(3, classes)))
        confusion = np.eye(classes, dtype=int) + np.eye(classes, k=1, dtype=int)
        result = Evaluation("$a$\x00", "test", every, confusion, 0.5, mistakes=(mistake,))
        assert result.write(tmp_path) == ["results.json", "confusion.png", "mistakes.png"]
    titles = [axes.get_title() for axes in draw_mistakes([mistake]).axes]
    assert titles == ["\\$\\frac{\\$\ntaken for x\\x00\\x1b\\ny\n50% sure"]


def test_files_of_many_classes_stay_small_and_show_a_single_confusion(tmp_path):
    result = made(1001)
    assert result.write(tmp_path) == ["results.json", "confusion.png"]
    written = json.loads((tmp_path / "results.json").read_text())
    assert "confusion" not in written and len(written["per_class"]) == 1001
    with Image.open(tmp_path / "confusion.png") as picture:
        assert max(picture.size) < 2000


@pytest.mark.tensorflow
def test_stream_of_real_images_is_evaluated(real_data):
    batches = evaluation_batches(
        "imagenet2012",
        "validation",
        real_data / "tfds",
        "inception",
        32,
        batch_size=20,
        labels_offset=-1,
    )
    model = nk.create_model(
        "nasnet_mobile", num_cells=3, filters=8, stem_filters=8, input_shape=(32, 32, 3)
    )
    result = evaluate(model, batches, keep_mistakes=4)
    assert result.images == 50 and result.class_names[:2] == ("background", "n01440764")
    assert result.confusion[0].sum() == 0
    images, labels = (np.concatenate(parts) for parts in zip(*batches, strict=True))
    logits = nk.inference_model(model).predict_on_batch(images)["logits"]
    assert result.accuracy == np.mean(logits.argmax(axis=1) == labels)
    expected = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    assert result.loss == pytest.approx(np.mean(expected), rel=1e-5)
    assert len(result.mistakes) == 4
    assert result.mistakes[0].truth.startswith("n")
    again = evaluate(model, batches, max_num_batches=1)
    assert again.images == 20


def test_evaluation_of_a_loaded_dataset_is_that_of_its_name():
    model = nk.create_model(
        "nasnet_cifar", num_cells=2, filters=2, stem_filters=4, input_shape=(16, 16, 3)
    )
    network = nk.inference_model(model)
    from nasnet_keras.data import load_dataset

    named = evaluate(network, evaluation_batches("digits", "test", None, "whiten", 16))
    loaded = load_dataset("digits", "test")
    assert isinstance(loaded, ImageDataset)
    other = evaluate(network, batches_in_memory(loaded, "whiten", 16, 70))
    np.testing.assert_array_equal(named.confusion, other.confusion)

"""The whole detector: it learns, is saved, and works in half precision."""

from pathlib import Path

import keras
import numpy as np
import pytest

from nasnet_keras.detection import FasterRCNN
from nasnet_keras.detection.modeling import faster_rcnn
from nasnet_keras.detection.modeling import roi_features as roi_features_module
from nasnet_keras.detection.modeling.faster_rcnn import LOSSES
from nasnet_keras.layers import BatchNormalization
from nasnet_keras.training.step.training_network import TrainingNetwork
from tests.detection_network import as_numpy, tiny_batch, tiny_config


def iou(a: np.ndarray, b: np.ndarray) -> float:
    height = min(a[2], b[2]) - max(a[0], b[0])
    width = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(height, 0) * max(width, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def test_it_overfits_two_images_and_is_saved(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = FasterRCNN(tiny_config(training_crops_per_chunk=8))
    batch = tiny_batch()
    # For so small a network, XLA takes longer to compile than TensorFlow to run.
    model.compile(keras.optimizers.Adam(0.01), jit_compile=keras.backend.backend() == "jax")
    history = model.fit(batch, batch_size=2, epochs=30, verbose=0).history
    assert set(history) == {"loss", *LOSSES}
    weighted = sum(model.loss_weights()[name] * history[name][0] for name in LOSSES)
    assert history["loss"][0] == pytest.approx(weighted, rel=1e-4)
    assert history["loss"][-1] < 0.3 * history["loss"][0]

    found = model.predict(batch, batch_size=2, verbose=0)
    for k in range(2):
        for box, label, crowd in zip(
            batch["boxes"][k], batch["labels"][k], batch["crowd"][k], strict=True
        ):
            if label >= 0 and not crowd:
                hits = [
                    score
                    for b, score, found_label in zip(
                        found["boxes"][k], found["scores"][k], found["labels"][k], strict=True
                    )
                    if found_label == label and iou(b, box) > 0.5
                ]
                assert max(hits, default=0) > 0.5, (k, label)
    assert (found["boxes"][1, :, 2] <= 56).all()
    measured = model.evaluate(batch, batch_size=2, verbose=0, return_dict=True)
    assert np.isfinite(list(measured.values())).all()

    path = tmp_path / "detector.keras"
    model.save(path)
    loaded = keras.saving.load_model(path, safe_mode=True)
    assert loaded.config == model.config
    assert [v.path for v in loaded.weights] == [v.path for v in model.weights]
    assert as_numpy(loaded.seed_generator.state).tolist() == (
        as_numpy(model.seed_generator.state).tolist()
    )
    assert int(loaded.optimizer.iterations) == 30
    again = as_numpy(loaded({name: batch[name] for name in ("images", "image_sizes")}))
    np.testing.assert_allclose(again["boxes"], found["boxes"], atol=1e-2)
    np.testing.assert_allclose(again["scores"], found["scores"], atol=1e-4)


def float_types(values) -> set[str]:
    tensors = [x for x in keras.tree.flatten(values) if hasattr(x, "dtype")]
    types = {keras.backend.standardize_dtype(x.dtype) for x in tensors}
    return {each for each in types if "float" in each}


def test_half_precision_is_that_of_the_cells_alone(monkeypatch) -> None:
    network = {"drop_path_keep_probability": 0.8, "drop_path_total_steps": 10}
    model = FasterRCNN(tiny_config(network), precision="mixed_bfloat16")
    seen: dict[str, set[str]] = {}

    def spied(name: str, function):
        def spy(*arguments, **keywords):
            result = function(*arguments, **keywords)
            seen.setdefault(name, set()).update(float_types((arguments, result)))
            return result

        return spy

    # What both stages compute in bfloat16, and what is made of it.
    monkeypatch.setattr(
        roi_features_module, "roi_align", spied("crops", roi_features_module.roi_align)
    )
    for name in ("propose_boxes", "match_boxes", "encode_boxes", "box_loss", "class_loss"):
        monkeypatch.setattr(faster_rcnn, name, spied(name, getattr(faster_rcnn, name)))
    for name in ("decode_detections", "select_detections"):
        monkeypatch.setattr(faster_rcnn, name, spied(name, getattr(faster_rcnn, name)))
    for name, layer in (("region_head", model.region_head), ("box_head", model.box_head)):
        monkeypatch.setattr(layer, "call", spied(name, layer.call))
    batch = tiny_batch()
    losses = model(batch, training=True)
    found = model({"images": batch["images"]})
    assert seen["crops"] == {"bfloat16", "float32"}  # Features, and where they are cut out.
    assert seen["region_head"] == {"bfloat16", "float32"}  # Features in, boxes and logits out.
    halves = [name for name, types in seen.items() if "bfloat16" in types]
    assert sorted(halves) == ["crops", "region_head"] and len(seen) == 10
    assert float_types(losses) == float_types(found) == {"float32"}
    assert np.isfinite([as_numpy(x) for x in losses.values()]).all()
    assert {cell.compute_dtype for cell in model.backbone.second_stage.cells} == {"bfloat16"}
    assert {str(v.dtype) for v in model.trainable_variables} == {"float32"}
    statistics = [v for v in model.network.weights if "moving_" in v.path]
    assert statistics and {str(v.dtype) for v in statistics} == {"float32"}
    assert model.get_config()["precision"] == "mixed_bfloat16"
    # The schedule of drop path has counted one step, its seeds moved on.
    assert int(model.network.get_layer("drop_path_schedule").step.value) == 1


def test_half_precision_is_near_full_precision() -> None:
    results = {}
    noise = np.random.default_rng(0).normal(size=(2, 4, 4, 64)).astype("float32")
    for precision in ("float32", "mixed_bfloat16"):
        keras.utils.set_random_seed(0)
        config = tiny_config(crops_per_chunk=None, training_crops_per_chunk=None)
        model = FasterRCNN(config, precision, seed=0)
        batch = tiny_batch()
        before = {v.path: as_numpy(v.value) for v in model.network.weights}
        losses = as_numpy(model(batch, training=True))
        moved = [
            as_numpy(v.value) - before[v.path]
            for v in model.network.weights
            if "stem" in v.path and "moving_" in v.path
        ]
        features = noise[..., : model.backbone.channels]
        found = model._second_stage(batch["images"], features, None, batch["boxes"], training=False)
        regions = np.concatenate([losses["region_box_loss"], losses["region_class_loss"]])
        # The classes' loss is not compared: other proposals may be sampled.
        results[precision] = regions, np.concatenate(moved), *map(as_numpy, found)
    for full, half in zip(*results.values(), strict=True):
        difference = np.linalg.norm(half - full) / np.linalg.norm(full)
        assert 0 < difference < 0.05


def test_batch_norm_is_frozen_unless_asked_for() -> None:
    batch = tiny_batch()
    for trains in (False, True):
        model = FasterRCNN(tiny_config(train_batch_norm=trains))
        assert any("gamma" in v.path for v in model.trainable_variables) == trains
        statistics = [v for v in model.network.weights if v.path.endswith("moving_mean")]
        before = [as_numpy(v.value) for v in statistics]
        model(batch, training=True)
        moved = [
            not np.array_equal(x, as_numpy(v.value))
            for x, v in zip(before, statistics, strict=True)
        ]
        assert all(moved) if trains else not any(moved)
        assert all(
            layer.trainable == trains
            for layer in model.network._flatten_layers()
            if isinstance(layer, BatchNormalization)
        )


def test_dropout_works_on_the_second_stages_features() -> None:
    model = FasterRCNN(tiny_config({"dropout": 0.9}))
    x = np.ones((1, 4, model.backbone.second_stage.output_channels), "float32")
    boxes, _ = model.box_head(x, training=True)
    assert not np.allclose(as_numpy(boxes), as_numpy(model.box_head(x, training=False)[0]))


def test_samples_follow_the_seed() -> None:
    batch = tiny_batch()
    config = tiny_config(region_batch_size=4, crops_per_chunk=None)
    runs = []
    for seed in (1, 1, 2):
        keras.utils.set_random_seed(0)
        model = FasterRCNN(config, seed=seed)
        runs.append(as_numpy(model(batch)["region_class_loss"]))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


def test_what_lies_in_the_padding_or_a_crowd_changes_nothing() -> None:
    keras.utils.set_random_seed(0)
    model = FasterRCNN(tiny_config(crops_per_chunk=None, region_batch_size=200))
    batch = tiny_batch()
    state = as_numpy(model.seed_generator.state)
    expected = as_numpy(model(batch))
    batch["boxes"][:, 2] = np.nan
    model.seed_generator.state.assign(state)
    for name, losses in as_numpy(model(batch)).items():
        np.testing.assert_array_equal(losses, expected[name])
    # The crowd's class is not read either.
    batch["labels"][1, 1] = 2
    model.seed_generator.state.assign(state)
    for name, losses in as_numpy(model(batch)).items():
        np.testing.assert_array_equal(losses, expected[name])


def test_an_image_without_boxes_is_background_all_over() -> None:
    model = FasterRCNN(tiny_config(crops_per_chunk=None))
    batch = tiny_batch()
    batch["labels"][:] = -1
    losses = as_numpy(model(batch))
    assert losses["box_loss"].tolist() == losses["region_box_loss"].tolist() == [0, 0]
    assert (losses["class_loss"] > 0).all() and (losses["region_class_loss"] > 0).all()


def test_a_malformed_batch_is_refused() -> None:
    model = FasterRCNN(tiny_config())
    batch = tiny_batch()
    with pytest.raises(ValueError, match="'images' has shape"):
        model({"images": batch["images"][0]})
    with pytest.raises(ValueError, match="needs 'boxes' and 'labels'"):
        model({"images": batch["images"]}, training=True)
    with pytest.raises(ValueError, match="needs 'labels' too"):
        model({name: batch[name] for name in ("images", "boxes")})
    with pytest.raises(ValueError, match="n at least 1"):
        model(batch | {"boxes": np.zeros((2, 0, 4), "float32")})


def test_a_classifier_in_training_leaves_the_detector_as_it_is() -> None:
    inputs = keras.Input((4,))
    TrainingNetwork(inputs, keras.layers.Dense(1)(inputs))
    # Keras has given the classifier's class other bases by now.
    assert FasterRCNN(tiny_config()).count_params()

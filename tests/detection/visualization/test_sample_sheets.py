"""The anchors and proposals shown are those that training draws."""

import keras
import numpy as np

from nasnet_keras.detection import FasterRCNN
from nasnet_keras.detection.modeling.boxes import pairwise_iou
from nasnet_keras.detection.visualization.sample_sheets import sample_sheets
from tests.detection_network import as_numpy, tiny_batch, tiny_config


def stored_batch():
    """The tiny batch as `detection_batches` gives one."""
    batch = tiny_batch()
    sizes, crowd = batch["image_sizes"].astype("int32"), batch["crowd"].astype(bool)
    images, ids = batch["images"].astype("float32"), np.array([5, 8])
    return {**batch, "images": images, "image_sizes": sizes, "crowd": crowd, "image_ids": ids}


def test_samples_are_matched_with_the_boxes_that_they_overlap():
    keras.utils.set_random_seed(0)
    config = tiny_config()
    model = FasterRCNN(config)
    batch = stored_batch()
    samples = as_numpy(model.training_samples(batch))
    ious = as_numpy(pairwise_iou(samples["proposals"], batch["boxes"]))
    matches = samples["proposal_matches"]
    assert matches.shape == (2, config.box_batch_size)
    for image, place in zip(*np.nonzero(matches >= 0), strict=True):
        assert ious[image, place, matches[image, place]] >= config.box_positive_iou
    real = batch["labels"] >= 0
    real &= batch["crowd"] == 0
    overlap = np.where(real[:, None], ious, 0).max(-1)
    assert (overlap[matches == -1] < config.box_positive_iou).all()
    assert (matches >= 0).any() and (matches == -1).any()
    anchors = samples["anchors"][samples["anchor_matches"] != -2]
    assert (anchors[:, :2] >= 0).all() and (anchors[:, 2:] <= 64).all()


def test_sheets_show_every_image_and_its_objects():
    model = FasterRCNN(tiny_config())
    sheets = sample_sheets(model, [stored_batch()], ["red", "green", "blue"], cell=200)
    assert set(sheets) == {"anchors", "proposals"}
    for sheet in sheets.values():
        assert sheet.width > 400
        pixels = np.asarray(sheet)
        for half in (pixels[:, :208], pixels[:, 208:]):
            # An object, and something to be background.
            assert (half == (255, 210, 40)).all(-1).sum() > 100
            assert (half == (80, 170, 255)).all(-1).sum() > 20

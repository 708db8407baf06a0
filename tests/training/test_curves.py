"""The picture of a run."""

import json

import numpy as np
import pytest
from PIL import Image

from nasnet_keras.training.curves import draw_curves


def record(epoch, **values):
    return {"epoch": epoch, "step": 10 * epoch, "learning_rate": 0.1, "loss": 1.0, **values}


def write(path, *lines):
    path.write_text("".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    return path


def colours(path):
    """Returns how many pixels have each of the curves' colours."""
    with Image.open(path) as picture:
        pixels = np.asarray(picture.convert("RGB")).reshape(-1, 3)
    named = {"blue": (31, 119, 180), "cyan": (23, 190, 207), "orange": (255, 127, 14)}
    return {name: int((pixels == colour).all(axis=1).sum()) for name, colour in named.items()}


def test_curves_that_are_in_the_log_are_drawn(tmp_path):
    picture = tmp_path / "curves.png"
    log = write(tmp_path / "a", *[f"{json.dumps(record(n))}\n" for n in range(1, 4)])
    draw_curves(log, picture)
    found = colours(picture)
    assert found["blue"] > 100 and found["cyan"] == found["orange"] == 0
    values = {"logits_loss": 0.7, "logits_accuracy": 0.5, "evaluation_accuracy": 0.4}
    log = write(tmp_path / "b", *[f"{json.dumps(record(n, **values))}\n" for n in range(1, 4)])
    draw_curves(log, picture)
    assert min(colours(picture).values()) > 100
    assert not list(tmp_path.glob(".*"))


def test_log_without_an_epoch_is_an_error(tmp_path):
    log = write(tmp_path / "log", '{"epo')
    with pytest.raises(ValueError, match="has no complete epoch"):
        draw_curves(log, tmp_path / "curves.png")

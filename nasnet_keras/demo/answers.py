"""What a network says of pictures, as the page shows it."""

from __future__ import annotations

import base64
import io
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from nasnet_keras.detection.visualization.drawing import class_color, draw_boxes
from nasnet_keras.serving.predictor import Prediction, Predictor
from nasnet_keras.text.plain_text import line, markup

# The longer side of a picture as it is shown, in pixels. Smaller ones are enlarged by a whole
# factor, so that each of their pixels is a square.
_LEAST_SIDE, _MOST_SIDE = {False: 256, True: 320}, 1280
_LOSSLESS_SIDE = 640


@dataclass(frozen=True, eq=False)
class Answer:
    """What was said of a picture.

    Attributes:
        name: The picture's.
        picture: The picture as it is shown.
        scale: Pixels shown for one of the picture.
        prediction: What is in it; `None` where it cannot be read.
        seconds: From its file to the prediction.
        error: Why it cannot be read.
    """

    name: str
    picture: Image.Image | None = None
    scale: float = 1.0
    prediction: Prediction | None = None
    seconds: float = 0.0
    error: str = ""


def answer(predictor: Predictor, path: str | Path) -> Answer:
    """Asks a network about the picture in a file; that it is none is an answer too."""
    name = Path(path).name
    started = time.perf_counter()
    try:
        pixels = predictor.read(path)
        (prediction,) = predictor.predict_pixels([pixels])
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Answer(name, error=line(reason))
    seconds = time.perf_counter() - started
    picture, scale = shown_picture(pixels, _LEAST_SIDE[predictor.is_detector])
    return Answer(name, picture, scale, prediction, seconds)


def shown_picture(pixels: np.ndarray, least_side: int) -> tuple[Image.Image, float]:
    """Returns a picture in a size to look at, and what its sides were multiplied by.

    Args:
        pixels: `(height, width, 3)`, in [0, 255].
        least_side: What the longer side shall have at least, as far as a whole factor gives it.
    """
    picture = Image.fromarray(np.clip(np.round(pixels), 0, 255).astype(np.uint8))
    side = max(picture.size)
    scale = -(-least_side // side) if side < least_side else min(1.0, _MOST_SIDE / side)
    if scale == 1:
        return picture, 1.0
    size = tuple(max(1, round(length * scale)) for length in picture.size)
    how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.LANCZOS
    return picture.resize((size[0], size[1]), how), scale


def as_html(answers: list[Answer], min_score: float) -> str:
    """Returns answers as HTML, whatever the names are.

    Args:
        answers: The answers.
        min_score: Boxes with a lower score are not drawn.
    """
    return f'<div class="answers">{"".join(_card(each, min_score) for each in answers)}</div>'


def _card(shown: Answer, min_score: float) -> str:
    name, prediction = markup(shown.name), shown.prediction
    if prediction is None or shown.picture is None:
        return (
            f'<div class="answer"><b>{name}</b><p class="refused">{markup(shown.error)}</p></div>'
        )
    height, width = prediction.size
    facts = f"{width} × {height} pixels · {1000 * shown.seconds:,.0f} ms"
    if prediction.boxes is None:
        picture, rows = shown.picture, list(zip(prediction.names, prediction.scores, strict=True))
    else:
        picture, rows = _with_boxes(shown.picture, prediction, shown.scale, min_score)
        facts += f" · {len(rows)} of {len(prediction)} boxes"
    colors = None
    if prediction.boxes is not None:
        colors = [f"rgb{class_color(label)}" for label in prediction.labels.tolist()]
    bars = "".join(
        _bar(name, float(score), colors[row] if colors else "")
        for row, (name, score) in enumerate(rows)
    )
    return (
        f'<div class="answer"><b>{name}</b> <small>{facts}</small>'
        f'<div class="found"><img alt="{name}" src="{_data(picture)}">'
        f'<div class="bars">{bars}</div></div></div>'
    )


def _with_boxes(
    picture: Image.Image, prediction: Prediction, scale: float, min_score: float
) -> tuple[Image.Image, list[tuple[str, float]]]:
    """Draws the boxes of sufficient score; returns their names and scores too."""
    assert prediction.boxes is not None
    # By decreasing score.
    count = int((prediction.scores >= min_score).sum())
    names, scores = prediction.names[:count], prediction.scores[:count]
    colors = [class_color(label) for label in prediction.labels[:count].tolist()]
    drawn = draw_boxes(picture, prediction.boxes[:count] * scale, names, scores, colors)
    return drawn, list(zip(names, scores.tolist(), strict=True))


def _bar(name: str, score: float, color: str) -> str:
    style = f"width:{100 * score:.1f}%" + (f";background:{color}" if color else "")
    return (
        f'<div class="row"><span>{markup(name)}</span><em>{score:.1%}</em>'
        f'<div class="bar"><div style="{style}"></div></div></div>'
    )


def _data(picture: Image.Image) -> str:
    lossless = max(picture.size) <= _LOSSLESS_SIDE
    kind, options = ("png", {}) if lossless else ("jpeg", {"quality": 90})
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}"

"""The page: pictures in, bars or boxes out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nasnet_keras.data.image_reader import SUFFIXES
from nasnet_keras.demo.answers import answer, as_html, shown_picture
from nasnet_keras.detection.inference.picture_files import find_pictures
from nasnet_keras.serving.predictor import Predictor
from nasnet_keras.text.plain_text import markup
from nasnet_keras.weights.catalogue import named_weights

EXTRA = "pip install 'nasnet-keras[demo]'"
_SAMPLES_NAME = "samples"
_MOST_SAMPLES = 20
_THUMBNAIL = 96
STYLE = """
.answer { border: 1px solid var(--border-color-primary); border-radius: 8px; padding: 12px;
  margin-bottom: 12px; overflow-wrap: anywhere; }
.answer .found { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 8px; }
.answer img { max-width: min(100%, 640px); object-fit: contain; align-self: flex-start;
  border-radius: 4px; }
.answer .bars { flex: 1; min-width: 160px; max-height: 512px; overflow-y: auto; }
.answer .row { display: grid; grid-template-columns: 1fr auto; gap: 2px 8px; margin-bottom: 8px; }
.answer .row em { font-style: normal; font-variant-numeric: tabular-nums; }
.answer .bar { grid-column: 1 / 3; height: 8px; border-radius: 4px;
  background: var(--background-fill-secondary); }
.answer .bar div { height: 8px; border-radius: 4px; background: var(--color-accent); }
.answer .refused { color: var(--error-text-color); }
.samples .grid-wrap { overflow: visible; max-height: none; height: auto; }
.samples .grid-container { grid-template-columns: repeat(auto-fill, minmax(56px, 1fr)) !important;
  padding-top: 24px; }
"""


def gradio() -> Any:
    """Returns the module `gradio`, which is not to report to anyone.

    Raises:
        ValueError: It is not installed.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    try:
        import gradio
    except ImportError:
        raise ValueError(f"the page needs gradio: {EXTRA}") from None
    return gradio


def find_samples(
    model: str | os.PathLike[str], samples: str | os.PathLike[str] | None = None
) -> list[Path]:
    """Returns the first pictures to try a network on.

    Args:
        model: Its run directory or file; a run's own `samples` are taken, also beside a file in it.
            A published one has none.
        samples: A picture, or a folder of pictures, to take instead.

    Raises:
        ValueError: `samples` holds no picture.
    """
    if samples is not None:
        return find_pictures([samples])[:_MOST_SAMPLES]
    if named_weights(model):
        return []
    for folder in (Path(model) / _SAMPLES_NAME, Path(model).parent / _SAMPLES_NAME):
        if folder.is_dir() and any(folder.iterdir()):
            return find_pictures([folder])[:_MOST_SAMPLES]
    return []


def build_page(predictor: Predictor, samples: Sequence[Path] = (), min_score: float = 0.3) -> Any:
    """Returns the page of a network, a `gradio.Blocks`.

    Args:
        predictor: The network. A detector's shall leave out no box, which the page does by score.
        samples: Pictures to try it on.
        min_score: Where the slider of a detector's scores begins.

    Raises:
        ValueError: `gradio` is not installed.
    """
    gr = gradio()
    detector = predictor.is_detector
    with gr.Blocks(title="nasnet_keras", analytics_enabled=False) as page:
        gr.HTML(_heading(predictor))
        answers = gr.State([])
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                files = gr.File(
                    label="Pictures: drop some here",
                    file_count="multiple",
                    file_types=list(SUFFIXES),
                    type="filepath",
                    height=160,
                    elem_id="pictures",
                )
                slider = gr.Slider(
                    *(0, 1, min_score),
                    step=0.01,
                    label="Least score",
                    visible=detector,
                    elem_id="least-score",
                )
                thumbnails = gr.Gallery(
                    [_thumbnail(predictor, path) for path in samples],
                    label="Or try one of these",
                    visible=bool(samples),
                    height="auto",
                    object_fit="contain",
                    format="png",
                    allow_preview=False,
                    interactive=False,
                    buttons=[],
                    elem_id="samples",
                    elem_classes="samples",
                )
            with gr.Column(scale=2, min_width=320):
                result = gr.HTML(_EMPTY, elem_id="result")

        def ask(paths: list[str] | None) -> list[Any]:
            return [answer(predictor, path) for path in paths or []]

        def show(found: list[Any], least: float) -> str:
            return as_html(found, least) if found else _EMPTY

        def ask_sample(event: Any) -> list[Any]:
            return ask([str(samples[event.index])])

        # What the library reads to know that it is to pass the event.
        ask_sample.__annotations__["event"] = gr.SelectData
        shown = (show, [answers, slider], result)
        files.change(ask, files, answers).then(*shown)
        slider.change(*shown, show_progress="hidden")
        thumbnails.select(ask_sample, None, answers).then(*shown)
    return page


_EMPTY = "<p>What is in the pictures appears here.</p>"


def _heading(predictor: Predictor) -> str:
    described = predictor.description
    height, width = described.image_size
    what = "boxes and names" if predictor.is_detector else "classes"
    network = f"{described.network}: " if described.network else ""
    facts = f"{network}{len(described.class_names):,} classes, {width} × {height} pixels"
    if described.accuracy is not None:
        facts += f", {described.accuracy:.1%} right"
    return f"<h2>Pictures in, {what} out</h2><p>{markup(facts)}</p>"


def _thumbnail(predictor: Predictor, path: Path) -> Any:
    try:
        picture, _ = shown_picture(predictor.read(path), _THUMBNAIL)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    picture.thumbnail((2 * _THUMBNAIL, 2 * _THUMBNAIL))
    return picture

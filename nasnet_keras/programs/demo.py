"""Opens a page to try a trained network on pictures, in the browser.

  nasnet-keras demo --model=runs/digits

--model is a classifier or a detector: a run directory, a .keras file, an exported SavedModel, ONNX,
OpenVINO (.xml) or LiteRT file, or hf://owner/name; a SavedModel is a program, so take none from
strangers. Or a published one, imagenet:nasnet_mobile or coco:nasnet_large_1200_lowproposals; or a
detector of the TF Object Detection API: archive, its directory, checkpoint or frozen graph. The
page is for this machine alone unless --host says otherwise. Ctrl-C ends it.
"""

from __future__ import annotations

import functools
import threading
from dataclasses import dataclass
from typing import Annotated, ClassVar

from nasnet_keras.programs.command_line import import_keras_quietly
from nasnet_keras.programs.program import Program
from nasnet_keras.settings import MOST_SIDE, Count, Fraction, Range, Settings
from nasnet_keras.text.plain_text import say


@dataclass(frozen=True)
class Flags(Settings):
    """What the page asks, and where it is.

    Attributes:
        model: A run directory, a .keras file, an exported file or SavedModel, hf://owner/name, a
            published network (WEIGHTS:NETWORK) or an original detector.
        config: Name of the configuration that an original detector is of, or a JSON file with one.
            Default: told by the name of a published archive or its directory.
        class_names: Names of a detector's classes with commas between, or a file with one a line.
            Default: the run's.
        samples: Pictures to offer on the page: a folder or a file. Default: the run's.
        top_k: Classes to name for each picture.
        min_score: Where the slider of a detector's scores begins.
        image_size: Side of the images, for a classifier that takes any size.
        host: Address to listen on; 0.0.0.0 lets in everybody who can reach this machine.
        port: Port to listen on.
    """

    _most: ClassVar[dict[str, int]] = {"image_size": MOST_SIDE}

    model: str
    config: str | None = None
    class_names: str | None = None
    samples: str | None = None
    top_k: Count = 5
    min_score: Fraction = 0.3
    image_size: Count | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Range(1, 65535)] = 7860


def main(flags: Flags) -> None:
    import numpy as np

    from nasnet_keras.demo.page import build_page, find_samples, gradio
    from nasnet_keras.demo.serve import check_port, served
    from nasnet_keras.export.description import format_of

    check_port(flags.host, flags.port)
    gradio()
    if format_of(flags.model) in (None, "saved_model"):
        import_keras_quietly()
    from nasnet_keras.detection.data.class_names import read_class_names
    from nasnet_keras.serving.predictor import load_predictor

    names = read_class_names(flags.class_names) if flags.class_names else None
    predictor = load_predictor(
        *(flags.model, flags.top_k, 0.0, flags.image_size), config=flags.config, class_names=names
    )
    # The first answer takes longer than the others.
    predictor.predict_pixels([np.zeros((*predictor.description.image_size, 3), "uint8")])
    samples = find_samples(flags.model, flags.samples)
    page = functools.partial(build_page, predictor, samples, flags.min_score)
    with served(page, flags.host, flags.port) as address:
        say(f"{address} shows the page; Ctrl-C ends it")
        threading.Event().wait()


PROGRAM = Program(main, (Flags,))

"""The page of a network on the Hub: what it is, how to use it, how good it is, how it was made."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

from nasnet_keras.hub.address import PREFIX
from nasnet_keras.hub.client import hub_client
from nasnet_keras.publishing.publication import Publication
from nasnet_keras.settings import Settings, hints
from nasnet_keras.text.plain_text import line, markup, shown

_MOST_CLASSES = 100
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~])")
_TASKS = {"classifier": "image-classification", "detector": "object-detection"}
# What of an evaluation the page shows: the Hub's name and ours.
_METRICS = {
    "accuracy": ("accuracy", "top-1 accuracy"),
    "top_5_accuracy": ("top-5-accuracy", "top-5 accuracy"),
    "AP": ("mAP", "AP (COCO, IoU 0.50:0.95)"),
    "AP50": ("mAP50", "AP50"),
}


def model_card(publication: Publication, repository: str, license: str | None = None) -> str:
    """Returns the page as Markdown, with the Hub's data at its top.

    Args:
        publication: The network.
        repository: `"owner/name"`.
        license: The licence's abbreviation on the Hub; `None`: not stated.
    """
    sections = [
        f"# {_plain(repository.partition('/')[2])}",
        _summary(publication),
        _use(publication, repository),
        _scores(publication),
        _training(publication),
        _classes(publication),
        _license(license),
    ]
    data = _data(publication, repository, license)
    return "\n\n".join([f"---\n{data}\n---", *filter(None, sections)]) + "\n"


def _data(publication: Publication, repository: str, license: str | None) -> str:
    client = hub_client()
    scores, task = publication.scores, _TASKS[publication.kind]
    results = [
        client.EvalResult(
            task_type=task,
            dataset_type=_identifier(scores["dataset"]),
            dataset_name=line(str(scores["dataset"])),
            dataset_split=line(str(scores.get("split", ""))) or None,
            metric_type=metric,
            metric_name=name,
            metric_value=scores[key],
        )
        for key, (metric, name) in _METRICS.items()
        if _is_score(scores.get(key)) and "dataset" in scores
    ]
    data = client.ModelCardData(
        library_name="keras",
        license=license,
        pipeline_tag=task,
        tags=["nasnet_keras", "nasnet", "keras"],
        model_name=repository.partition("/")[2],
        eval_results=results or None,
    )
    return data.to_yaml()


def _summary(publication: Publication) -> str:
    parameters = publication.model.count_params()
    names = publication.config.class_names if publication.config else ()
    of_classes = f" of {len(names):,} classes" if names else ""
    data = _dataset(publication)
    trained = f", trained on {_plain(data)}" if data else ""
    network = _plain(publication.network)
    what = "An image classifier" if publication.kind == "classifier" else "An object detector"
    size = publication.image_size
    images = f" It takes images of {size[0]} x {size[1]} pixels." if size else ""
    return (
        f"{what}{of_classes}, {network} with {parameters:,} parameters{trained}; made with "
        f"`nasnet_keras`.{images}"
    )


def _use(publication: Publication, repository: str) -> str:
    address = f"{PREFIX}{repository}"
    command = f"classify --model={address} picture.jpg"
    if publication.kind == "detector":
        command = f"detect predict --checkpoint_path={address} --output_dir=found picture.jpg"
    preprocessing = ""
    if publication.kind == "classifier" and publication.config is not None:
        name = publication.config.recipe.preprocessing_name  # type: ignore[union-attr]
        preprocessing = f" The network itself takes pixels prepared by the preprocessing `{name}`."
    return f"""## How to use it

```sh
pip install 'nasnet-keras[hub]'
nasnet-keras {command}
```

```python
import nasnet_keras as nk

model = nk.load_model("{address}")
```

`keras.saving.load_model("{address}")` reads it too, once `nasnet_keras` is imported.{preprocessing}
The settings of the run are in `nasnet_keras.json`. Nothing in the repository is pickled, and
Keras's safe mode reads it."""


def _scores(publication: Publication) -> str:
    scores = publication.scores
    rows = [
        (name, f"{scores[key]:.2%}" if publication.kind == "classifier" else f"{scores[key]:.3f}")
        for key, (_, name) in _METRICS.items()
        if _is_score(scores.get(key))
    ]
    pictures = {path.name for path in publication.pictures}
    if not rows:
        return ""
    split = " of ".join(_plain(scores[key]) for key in ("split", "dataset") if scores.get(key))
    images = f" ({scores['images']:,} images)" if isinstance(scores.get("images"), int) else ""
    text = f"## How good it is\n\nAs the run itself found on {split}{images}:\n\n"
    text += _table(("", "score"), rows)
    if "confusion.png" in pictures:
        text += "\n\n![What was taken for what](confusion.png)"
    return text


def _training(publication: Publication) -> str:
    config = publication.config
    if config is None:
        return ""
    settings: Settings = getattr(config, "recipe", None) or getattr(config, "training", config)
    text = "## How it was trained\n"
    if publication.epochs:
        last = publication.epochs[-1]
        seconds = sum(e["seconds"] for e in publication.epochs if _is_score(e.get("seconds")))
        text += f"\nTo epoch {last['epoch']:,} and step {last['step']:,}"
        text += f", in {seconds / 60:,.1f} minutes.\n" if seconds else ".\n"
    text += "\nSettings other than the package's defaults; all are in `nasnet_keras.json`.\n\n"
    text += _table(("setting", "value"), _changed(settings))
    if any(path.name == "curves.png" for path in publication.pictures):
        text += "\n\n![The course of the training](curves.png)"
    return text


def _changed(settings: Settings) -> list[tuple[str, str]]:
    """Returns the plain settings that have no default, or another value than it."""
    fields = dataclasses.fields(settings)  # type: ignore[arg-type]
    defaults = {field.name: field.default for field in fields}
    values = {name: getattr(settings, name) for name in hints(type(settings))}
    return [
        (name, ", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
        for name, value in values.items()
        if isinstance(value, str | int | float | tuple) and value != defaults.get(name)
    ]


def _classes(publication: Publication) -> str:
    names = publication.config.class_names if publication.config else ()
    if not names:
        return ""
    listed = ", ".join(map(_plain, names[:_MOST_CLASSES]))
    more = ", ... (all are in `nasnet_keras.json`)" if len(names) > _MOST_CLASSES else ""
    return f"## Classes\n\nIn the order of the outputs: {listed}{more}"


def _license(license: str | None) -> str:
    stated = f"`{license}`" if license else "Not stated: ask who published it before you use it."
    return f"## Licence\n\n{stated}"


def _dataset(publication: Publication) -> str:
    recipe = getattr(publication.config, "recipe", None)
    return recipe.dataset_name if recipe else str(publication.scores.get("dataset", ""))


def _table(head: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|---|---|"]
    return "\n".join(lines + [f"| {_plain(name)} | {_plain(value)} |" for name, value in rows])


def _plain(text: Any) -> str:
    """Returns text of others that Markdown shows as it is, in one line."""
    return _MARKDOWN.sub(r"\\\1", markup(line(str(text))))


def _identifier(name: Any) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", str(name).lower()) or shown(name)


def _is_score(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""Which category of a dataset each class of a detector is that was not trained on it."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import numpy as np

from nasnet_keras.detection.data.class_names import ids_of_classes
from nasnet_keras.detection.data.detection_index import DetectionIndex

_FEW = 5


def has_other_ids(
    index: DetectionIndex, class_names: Sequence[str], category_ids: Sequence[int]
) -> bool:
    """Returns whether a category of a dataset is called as a class is that has another id.

    Args:
        index: The dataset.
        class_names: Names of a detector's classes; numbers, where it has no names, say nothing.
        category_ids: Their ids, by which the detector knows them.
    """
    if list(class_names) == list(map(str, category_ids)):
        return False
    own = dict(zip(class_names, category_ids, strict=True))
    categories = zip(index.class_names, index.category_ids.tolist(), strict=True)
    return any(name in own and own[name] != category for name, category in categories)


def ids_by_name(index: DetectionIndex, class_names: Sequence[str]) -> tuple[int, ...]:
    """Returns the ids of a dataset's categories that the classes of a detector are called after.

    Args:
        index: The dataset.
        class_names: Names of the classes.

    Returns:
        The id of each class; where the dataset has no such category, one that is none of its ids.

    Raises:
        ValueError: There are objects of a category that no class is called after.
    """
    names = (index.class_names[label] for label in np.unique(index.labels).tolist())
    strange = [name for name in names if name not in class_names]
    if strange:
        few = ", ".join(map(repr, strange[:_FEW])) + (", ..." if len(strange) > _FEW else "")
        near = get_close_matches(strange[0], class_names, n=1)
        hint = f" (is {strange[0]!r} its {near[0]!r}?)" if near else ""
        raise ValueError(
            f"dataset {index.name} has objects of {few}, but none of the detector's "
            f"{len(class_names)} classes is called so{hint}: class_names gives the classes the "
            "dataset's names, drop_invalid leaves those objects out"
        )
    ids = dict(zip(index.class_names, index.category_ids.tolist(), strict=True))
    return ids_of_classes(class_names, ids)

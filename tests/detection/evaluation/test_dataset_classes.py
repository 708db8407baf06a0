"""A detector that was not trained on a dataset: which of its classes are which categories."""

from pathlib import Path
from typing import Any

import pytest

from nasnet_keras.detection.data import load_detection_index
from nasnet_keras.detection.evaluation.dataset_classes import has_other_ids, ids_by_name
from nasnet_keras.detection.weights.coco import COCO_IDS, COCO_NAMES
from tests.detection.data.coco_directory import annotation, two_images, write_coco


def index(root: Path, **categories: int) -> Any:
    """A dataset with an object of each category, and a category without any."""
    content = two_images()
    content["categories"] = [{"id": each, "name": name} for name, each in categories.items()]
    content["annotations"] = [
        annotation(number, 11, [10, 20, 30, 15], each, area=100, iscrowd=0)
        for number, each in enumerate(categories.values(), 1)
    ]
    content["categories"].append({"id": 91, "name": "empty"})
    return load_detection_index(write_coco(root, content), "val")


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ({"person": 1, "dog": 18}, False),
        # Names of others, also COCO's ids in another language.
        ({"human": 1, "robot": 95}, False),
        ({"Hund": 18, "person": 1}, False),
        # COCO's, numbered anew.
        ({"person": 1, "dog": 2}, True),
        ({"aeroplane": 1, "person": 15}, True),
    ],
)
def test_ids_count_unless_a_name_contradicts_them(
    categories: dict[str, int], expected: bool, tmp_path: Path
) -> None:
    assert has_other_ids(index(tmp_path, **categories), COCO_NAMES, COCO_IDS) is expected


def test_numbers_for_names_contradict_nothing(tmp_path: Path) -> None:
    digits = index(tmp_path, **{"0": 1, "1": 2, "2": 3})
    assert not has_other_ids(digits, ("1", "2", "3"), (1, 2, 3))


def test_a_class_has_the_id_of_the_category_of_its_name(tmp_path: Path) -> None:
    found = ids_by_name(index(tmp_path, dog=2, cat=7), ("cat", "bird", "dog", "empty"))
    assert (found[0], found[2], found[3]) == (7, 2, 91) and found[1] not in (2, 7, 91)


def test_objects_that_no_class_is_called_after_are_one_line(tmp_path: Path) -> None:
    voc = index(tmp_path, aeroplane=1, dog=2, sofa=3)
    with pytest.raises(
        ValueError, match="objects of 'aeroplane', 'sofa', but none of the"
    ) as error:
        ids_by_name(voc, COCO_NAMES)
    assert "90 classes is called so (is 'aeroplane' its 'airplane'?)" in str(error.value)
    assert "\n" not in str(error.value)

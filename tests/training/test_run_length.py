"""The calls of fit that a run is made of."""

import pytest

from nasnet_keras.training.run_length import RunLength


@pytest.mark.parametrize(
    ("total", "step", "expected"),
    [
        (10, 0, [(0, 2, 5)]),
        (12, 0, [(0, 2, 5), (2, 3, 2)]),
        (12, 3, [(0, 1, 2), (1, 2, 5), (2, 3, 2)]),
        (12, 11, [(2, 3, 1)]),
        (4, 0, [(0, 1, 4)]),
        (4, 1, [(0, 1, 3)]),
        (10, 10, []),
        (10, 5, [(1, 2, 5)]),
    ],
)
def test_whole_epochs_are_one_call_and_parts_are_their_own(total, step, expected):
    assert list(RunLength(5, total).fits(step)) == expected


def test_every_step_is_made_once_wherever_a_run_is_continued():
    length = RunLength(7, 31)
    for step in range(31):
        done = sum((end - first) * steps for first, end, steps in length.fits(step))
        assert step + done == 31

"""The calls of `Model.fit` that a run is made of, from the step where it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from nasnet_keras.training.callbacks import StopWhenAsked
from nasnet_keras.training.distribution import TrainingStrategy
from nasnet_keras.training.run_length import RunLength


def fit_run(
    model: keras.Model,
    strategy: TrainingStrategy,
    length: RunLength,
    step: int,
    batches_from: Callable[[int], Any],
    callbacks: Sequence[keras.callbacks.Callback],
    stop: StopWhenAsked,
    stream_error: Callable[[], Exception | None],
) -> bool:
    """Trains to the end of a run.

    Args:
        model: The network, compiled.
        strategy: Where it is trained.
        length: How long epochs and run are.
        step: Steps done before.
        batches_from: Returns this worker's batches from a step on, without end.
        callbacks: Of `Model.fit`; `stop` is among them.
        stop: Says whether the run was told to stop.
        stream_error: Returns what ended the data, if anything did: a line of its own, instead of
            the pages that a backend makes of it.

    Returns:
        Whether it was told to stop before the end.
    """
    try:
        for first_epoch, end_epoch, steps in length.fits(step):
            model.fit(
                strategy.distribute(lambda _, step=step: batches_from(step)),
                shuffle=False,  # The batches are already.
                steps_per_epoch=steps,
                initial_epoch=first_epoch,
                epochs=end_epoch,
                callbacks=list(callbacks),
                verbose=0,
            )
            step += (end_epoch - first_epoch) * steps
            if stop.stopped:
                return True
    except Exception as error:
        reason = stream_error()
        if reason is not None:
            raise reason from error
        raise
    return False

"""Searches that never ran: a directory with a configuration and a journal."""

from pathlib import Path

import numpy as np

from nasnet_keras.search import get_space
from nasnet_keras.search.engine.journal import Journal
from nasnet_keras.search.engine.run_directory import RunDirectory, SearchConfig


def made_up_search(
    directory: Path,
    children: int,
    name: str = "random",
    space=None,
    predict: bool = False,
    objective: dict | None = None,
) -> list[tuple[tuple[int, ...], float]]:
    """Writes the directory; returns the architectures and rewards, in the order of their numbers.

    The reward of a child is the larger, the more of its operations come late in the list, so that
    it can be predicted; what was "predicted" ranks as the rewards do. With an objective, latency
    grows with the number, and accuracy is half the reward.
    """
    space = space or get_space("pnas", num_blocks=2)
    run_dir = RunDirectory(directory)
    run_dir.write_config(
        SearchConfig(
            space=space.config(),
            strategy={"name": name},
            seed=7,
            child={
                "dataset_name": "digits",
                "recipe": "search_child",
                **({"objective": objective} if objective else {}),
            },
            limits={},
        )
    )
    operations = [i for i, d in enumerate(space.decisions) if d.kind == "operation"]
    generator = np.random.default_rng(0)
    rewards: dict[tuple[int, ...], float] = {}
    while len(rewards) < children:
        architecture = space.canonical(space.sample(generator))
        late = np.mean([architecture[i] for i in operations]) / 13
        rewards[architecture] = round(float(late) + 0.0001 * len(rewards), 6)
    with Journal(run_dir.journal) as journal:
        journal.append("opened", executor="LocalExecutor", workers=1, budget=children)
        for number, (architecture, reward) in enumerate(rewards.items()):
            predicted = {"predicted_reward": reward**2} if predict else {}
            journal.append(
                "asked", number=number, architecture=architecture, key=str(number), **predicted
            )
            journal.append("started", number=number, attempt=0)
            values: dict[str, float] = {"parameters": 1000 + number}
            if objective:
                values |= {"latency_ms": 1.5 + number, "accuracy": reward / 2}
            journal.append("result", number=number, reward=reward, seconds=2.0, values=values)
    return list(rewards.items())

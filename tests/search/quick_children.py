"""Children that train nothing, for tests of what runs them."""

import os
import time

from nasnet_keras.search.executors.executor import Job


def reward_of(job: Job) -> float:
    """Returns a number between 0 and 1 that depends on the architecture alone."""
    return (job.seed % 997) / 997


def quick(job: Job) -> dict:
    return {"reward": reward_of(job), "parameters": job.seed % 1000}


def slow(job: Job) -> dict:
    """Takes a second, and leaves its process id and a line for every time it came to its end."""
    (job.directory / "pid").write_text(str(os.getpid()))
    time.sleep(1.0)
    with open(job.directory / "ends", "a") as file:
        file.write("end\n")
    return {"reward": reward_of(job)}


def mixed(job: Job) -> dict:
    """Each child has a fate of its own, by its number."""
    if job.number == 0:
        raise ValueError("no\nluck")
    if job.number == 1 and job.attempt == 0:
        os.kill(os.getpid(), 9)
    if job.number == 2:
        time.sleep(60)
    if job.number == 3:
        return {"reward": float("nan")}
    if job.number == 4 and job.attempt < 2:
        os._exit(3)
    if job.number == 5:
        held = bytearray(300 * 2**20)
        held[::4096] = b"x" * len(held[::4096])
        time.sleep(60)
    return {"reward": reward_of(job)}


def placed(job: Job) -> dict:
    """Takes half a second; says on which of Ray's machines, when and on which accelerator."""
    values = {"machine": int(os.environ["RAY_RAYLET_PID"]), "began": time.time()}
    (job.directory / "machine").write_text(str(values["machine"]))
    time.sleep(0.5)
    with open(job.directory / "ends", "a") as file:
        file.write("end\n")
    values |= {"ended": time.time(), "accelerator": os.environ["CUDA_VISIBLE_DEVICES"]}
    return {"reward": reward_of(job), **values}

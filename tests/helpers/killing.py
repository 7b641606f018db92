"""Runs that are killed, as by SIGKILL, and gone on with."""

from functools import partial
from itertools import pairwise

import pytest

from itune.training import batches, loop
from itune.training.run import run_task
from itune.training.run_folder import RunOptions


class Killed(BaseException):
    """Stops a run as SIGKILL would: nothing of ours catches it."""


def kill_before(batch, train, *, first=0):
    """Call a function that trains until it makes this batch; ``first`` were made before."""
    collate, save = batches.collate_shared, loop.Checkpoints.save
    made = first

    def collate_or_die(*args, **options):
        nonlocal made
        if made == batch:
            raise Killed
        made += 1
        return collate(*args, **options)

    def save_the_last(*args):
        """Earlier checkpoints than the newest are not looked at."""
        if made == batch:
            save(*args)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(batches, "collate_shared", collate_or_die)
        patch.setattr(loop.Checkpoints, "save", save_the_last)
        train()


def kill_and_resume(places, config, method, folder, *, seed=1, seconds=0):
    """Kill a run before each of these batches, counted from its start, and let it end."""
    for first, batch in pairwise([0, *places]):
        options = RunOptions(resume=first > 0, checkpoint_seconds=seconds)
        kill_before(batch, partial(run_task, config, method, seed, folder, options), first=first)
        assert not (folder / "result.json").exists()
    return run_task(config, method, seed, folder, RunOptions(resume=True))

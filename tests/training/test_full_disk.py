"""A full disk is noticed before a checkpoint is begun, and told in one exception."""

import errno
import types

import jax.numpy as jnp
import pytest

from itune.training import checkpoints
from itune.training.checkpoints import CheckpointInfo, Checkpoints

STATE = {"weights": jnp.ones(1000, jnp.float32)}
NEEDED = 4000 + checkpoints.METADATA_BYTES


@pytest.fixture
def kept(tmp_path):
    kept = Checkpoints(tmp_path / "checkpoints")
    yield kept
    kept.close()


@pytest.mark.parametrize("free", [NEEDED - 1, NEEDED])
def test_room_is_looked_for(kept, monkeypatch, free):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: types.SimpleNamespace(free=free))
    position = CheckpointInfo(1, 0, 0.0)
    if free < NEEDED:
        with pytest.raises(OSError) as caught:
            kept.save(position, STATE)
        assert caught.value.errno == errno.ENOSPC and kept.restore(STATE) is None
    else:
        kept.save(position, STATE)
        assert kept.restore(STATE)[0] == position


@pytest.mark.parametrize("name", ["save", "close"])
def test_what_the_system_says(kept, monkeypatch, name):
    def full(*_, **__):
        raise ValueError("RESOURCE_EXHAUSTED:\n No space left")

    with monkeypatch.context() as patch:
        patch.setattr(kept._checkpointer, name, full)
        with pytest.raises(OSError, match="no checkpoint: RESOURCE_EXHAUSTED: No space left"):
            kept.close() if name == "close" else kept.save(CheckpointInfo(1, 0, 0.0), STATE)

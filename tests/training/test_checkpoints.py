"""Checkpoints: a full disk is one exception, and those of earlier versions are restored."""

import errno
import types

import jax.numpy as jnp
import pytest

from itune.training import checkpoints
from itune.training.checkpoints import CheckpointInfo, Checkpoints

STATE = {"weights": jnp.ones(1000, jnp.float32)}
NEEDED = 4000 + checkpoints.METADATA_BYTES


@pytest.fixture
def store(tmp_path):
    store = Checkpoints(tmp_path / "checkpoints")
    yield store
    store.close()


@pytest.mark.parametrize("free", [NEEDED - 1, NEEDED])
def test_room_is_looked_for(store, monkeypatch, free):
    monkeypatch.setattr("shutil.disk_usage", lambda folder: types.SimpleNamespace(free=free))
    position = CheckpointInfo(1, 0, 0.0)
    if free < NEEDED:
        with pytest.raises(OSError) as caught:
            store.save(position, STATE)
        assert caught.value.errno == errno.ENOSPC and store.restore(STATE) is None
    else:
        store.save(position, STATE)
        assert store.restore(STATE)[0] == position


@pytest.mark.parametrize("name", ["save", "close"])
def test_what_the_system_says(store, monkeypatch, name):
    def full(*_, **__):
        raise ValueError("RESOURCE_EXHAUSTED:\n No space left")

    with monkeypatch.context() as patch:
        patch.setattr(store._checkpointer, name, full)
        with pytest.raises(OSError, match="no checkpoint: RESOURCE_EXHAUSTED: No space left"):
            store.close() if name == "close" else store.save(CheckpointInfo(1, 0, 0.0), STATE)


def test_checkpoints_of_version_1(store):
    metadata = {"work": 1, "record_bytes": 5, "seconds": 2.0}
    store._checkpointer.save(1, STATE, custom_metadata=metadata)
    info, state = store.restore(STATE)
    assert info == CheckpointInfo(work=1, metrics_bytes=5, seconds=2.0)
    assert (state["weights"] == 1).all()

"""A run that was killed and goes on ends as if nothing had happened, bit for bit."""

import pytest
from small_run import make_config, make_encoder

from itune.training import loop
from itune.training.run import run


class Killed(BaseException):
    """Stops a run as SIGKILL would: nothing of ours catches it."""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return make_config(make_encoder(tmp_path_factory.mktemp("small")))


@pytest.fixture(scope="module")
def uninterrupted(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    run(config, "influence_tuning", 1, folder)
    return folder


def outcome(folder):
    return [(folder / name).read_bytes() for name in ("metrics.jsonl", "model/model.safetensors")]


@pytest.mark.parametrize(
    ("batches_before", "checkpoint_seconds"),
    [
        (3, 0),  # between label chunks of one update
        (7, 0),  # inside the first round, after its first tuples
        (10, 0),  # inside the first round, after an update
        (13, 1e9),  # no checkpoint yet: from the start again
        (25, 0),  # after the second round
    ],
)
def test_killed_and_resumed(
    config, uninterrupted, tmp_path, monkeypatch, batches_before, checkpoint_seconds
):
    calls = []
    real = loop.collate

    def collate(*args):
        calls.append(args)
        if len(calls) > batches_before:
            raise Killed
        return real(*args)

    folder = tmp_path / "run"
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(loop, "collate", collate)
        run(config, "influence_tuning", 1, folder, checkpoint_seconds=checkpoint_seconds)
    assert not (folder / "result.json").exists()
    run(config, "influence_tuning", 1, folder, resume=True)
    assert outcome(folder) == outcome(uninterrupted)

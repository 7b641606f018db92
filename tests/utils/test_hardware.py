"""What work runs on: settings that are refused, and processes that find nobody."""

import re

import pytest

from itune.errors import UserError
from itune.utils import HardwareConfig, RunsHardwareConfig, hardware
from itune.utils.devices import chosen_together, device_count, share_folder, shared_path
from tests.helpers.many_devices import on_devices

ADDRESS = {"coordinator": "10.0.0.1:9911", "processes": 2, "process": 1}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"devices": 0}, "devices must be a positive integer, got 0"),
        ({"shard": "layers"}, "shard must be one of examples, params, got 'layers'"),
        ({"processes": 2}, "processes and process need the address of a coordinator"),
        ({"coordinator": "auto", "process": 1}, "need the address of a coordinator"),
        (ADDRESS | {"process": None}, "processes or process is not set; give both"),
        (ADDRESS | {"process": 2}, "process is 2 but there are 2; count from 0"),
        (ADDRESS | {"coordinator": "10.0.0.1"}, "coordinator must be auto or an address such as"),
    ],
)
def test_settings_that_are_refused(values, message):
    with pytest.raises(UserError, match=re.escape(message)):
        HardwareConfig(**values)


def test_one_process_writes_where_it_is_told(tmp_path):
    with on_devices(1):
        assert HardwareConfig(devices=2).begin(tmp_path) == tmp_path
        assert device_count() == 2


@pytest.mark.usefixtures("chooses_devices")
def test_several_runs_may_advance_together():
    with pytest.raises(UserError, match="together must be a positive integer, got 0"):
        RunsHardwareConfig(together=0)
    RunsHardwareConfig(devices=1, together=3).choose_devices()
    assert chosen_together() == 3
    HardwareConfig(devices=1).choose_devices()
    assert chosen_together() is None


def test_nobody_is_there(monkeypatch):
    monkeypatch.setattr(hardware, "TIMEOUT", 0)
    nobody = HardwareConfig(**(ADDRESS | {"coordinator": "127.0.0.1:9"}))
    with pytest.raises(
        UserError, match=r"no process 0 at coordinator 127\.0\.0\.1:9 \(.+\); start"
    ):
        nobody._join()


def test_no_cluster_is_there():
    with pytest.raises(UserError, match="do not find one another by coordinator 'auto'"):
        HardwareConfig(coordinator="auto")._join()


def test_a_copy_stands_for_a_folder(tmp_path):
    copy, original = tmp_path / "copy", tmp_path / "original"
    share_folder(copy, original)
    assert shared_path(copy / "run" / "checkpoints") == original / "run" / "checkpoints"
    assert shared_path(original / "run") == original / "run"

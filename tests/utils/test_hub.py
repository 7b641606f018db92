"""Data sets of the hub: asked once, and one line when they cannot be had."""

import datasets
import huggingface_hub
import pytest

from itune import UserError
from itune.utils.hub import load_hub


def test_the_hub_is_asked_once_and_briefly(monkeypatch):
    asked = []

    def refuse(self, name, timeout):
        asked.append((name, timeout))
        raise ConnectionError("no route\nmore")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)
    monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: asked.append("loaded"))
    with pytest.raises(UserError, match=r"^cannot load a/b from the hub \(no route\); .*, or wait"):
        load_hub("a/b", otherwise="wait")
    assert asked == [("a/b", 10.0)]


def test_subset_and_revision(monkeypatch):
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", lambda *_, **__: None)
    monkeypatch.setattr(datasets, "load_dataset", lambda *names, revision: (*names, revision))
    assert load_hub("a/b", "c", "d", otherwise="") == ("a/b", "c", "d")

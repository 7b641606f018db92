"""Whatever is wrong with the input of run.py: one line, status 2, and nothing is touched."""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from itune.cli import run_main
from itune.training import run as run_module
from itune.training.checkpoints import CheckpointInfo, Checkpoints
from tests.helpers.scripts import load_script
from tests.helpers.small_run import make_encoder

GROUPS = [(y, c) for y in (0, 1) for c in (0, 1)]


class Killed(BaseException):
    """Stops a run as SIGKILL would."""


@pytest.fixture(scope="module")
def main():
    return load_script("run").main


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return make_encoder(tmp_path_factory.mktemp("small"))


class Situation(NamedTuple):
    """A command that would work, and ways to spoil it; each returns more arguments."""

    folder: Path
    main: object
    encoder: Path

    @property
    def run(self):
        return self.folder / "out" / "default" / "finetuning-1"

    def command(self, more):
        values = {
            "encoder": self.encoder,
            "max_length": 16,
            "cid_probes": 6,
            "data.textlen.train_size": 44,
            "data.textlen.dev_size": 8,
            "data.textlen.test_size": 8,
            "label.batch": 8,
            "methods": "finetuning",
            "seeds": 1,
            "name": "default",
            "out": self.folder / "out",
        }
        values |= dict(zip(more[::2], more[1::2], strict=True))
        return [word for name, value in values.items() for word in (f"--{name}", str(value))]

    def data(self, *, train=(), test=(), drop=None, line=None):
        """A folder of data: more groups, without some, or with a certain last line."""
        folder = self.folder / "data"
        folder.mkdir()
        for name, groups in (("train", [*GROUPS * 11, *train]), ("dev", GROUPS), ("test", test)):
            rows = [
                {"text": f"word {i}", "label": y, "confound": c}
                for i, (y, c) in enumerate([*GROUPS, *groups])
                if drop is None or not drop(y, c)
            ]
            lines = [*map(json.dumps, rows), *([line] if name == "train" and line else [])]
            (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
        return "data.source", str(folder)

    def encoder_file(self, name, change):
        """A copy of the encoder with one file changed."""
        folder = self.folder / "encoder"
        folder.mkdir()
        for path in self.encoder.iterdir():
            (folder / path.name).write_bytes(path.read_bytes())
        (folder / name).write_bytes(change((folder / name).read_bytes()))
        return "encoder", str(folder)

    def file(self, *names, text="mine\n"):
        path = self.folder.joinpath(*names)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return ()

    def started(self, *more, change=None, resume=True, record_bytes=0):
        """A run that was killed at its first checkpoint, then changed."""

        def train(trainings, **_):
            (of,) = trainings
            checkpoints = Checkpoints(of.folder / "checkpoints")
            checkpoints.save(CheckpointInfo(1, record_bytes, 0.0), of.method.init(of.params))
            checkpoints.close()
            raise Killed

        with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
            patch.setattr(run_module, "train", train)
            self.main(self.command([]))
        if change is not None:
            change(self.run)
        return (*(("resume", "true") if resume else ()), *more)


def truncate_checkpoint(run):
    for path in sorted((run / "checkpoints").rglob("*")):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty_checkpoint(run):
    for path in sorted((run / "checkpoints").rglob("*")):
        if path.is_file():
            path.unlink()


SEEDS = "a list of different integers from 0 to 2**32 - 1"
NEGATIVE = "must be a non-negative number, got"
GIVEN = {  # arguments alone
    "data folder": ("data.source", "nowhere", "data.source 'nowhere' is neither a folder nor"),
    "CoNLL folder": ("data.source", "conll:nowhere", "nowhere: no such folder; name the folder"),
    "key": ("label.bach", 3, "--label.bach is not an option; did you mean --label.batch?"),
    "type": ("label.batch", "many", "--label.batch must be an integer, got 'many'"),
    "preset": ("preset", "quikstart", "there is no preset 'quikstart'; the presets are quickstart"),
    "method": ("methods", "finetunin", "methods must be a list of different methods out of fine"),
    "no method": ("methods", "", "methods must be a list of different methods out of fine"),
    "seed twice": ("seeds", "1,2,1", f"seeds must be {SEEDS}, got (1, 2, 1)"),
    "seed": ("seeds", "-1", f"seeds must be {SEEDS}, got (-1,)"),
    "checkpoint": ("checkpoint_seconds", "-3", f"checkpoint_seconds {NEGATIVE} -3.0"),
    "positions": ("max_length", 41, "max_length is 41 but the encoder has 40 positions; set max"),
    "length": ("max_length", 2, "max_length must be an integer of at least 3, got 2"),
    "folder": ("encoder", "./nowhere", "encoder folder ./nowhere does not exist; check the path"),
    "hub": ("encoder", "bert-nowhere", "encoder 'bert-nowhere' is not in the Hugging Face cache"),
    "precision": ("precision", "exact", "precision must be one of default, high"),
    "when": ("accuracy_when", "never", "accuracy_when must be one of always, end, got 'never'"),
    "no probe": ("cid_probes", 0, "cid_probes must be a positive integer, got 0"),
    "epochs": ("label.epochs", 0, "label.epochs must be a positive integer, got 0"),
    "rate": ("label.learning_rate", "-1e-5", f"label.learning_rate {NEGATIVE} -1e-05"),
    "chunk": ("label.chunk", 0, "label.chunk must be a positive integer, got 0"),
    "batch": ("label.batch", 45, "label.batch is 45 but there are only 44 training examples"),
    "k": ("influence.k", 0, "influence.k must be a positive integer, got 0"),
    "interval": ("influence.interval", 0, "influence.interval must be a positive integer, got 0"),
    "partners": ("influence.partners", "all", "influence.partners must be one of drawn, pooled, g"),
    "schedule": ("influence.schedule", "new", "influence.schedule must be one of paper"),
    "data seed": ("data.seed", -1, "seed must be a non-negative integer, got -1"),
    "name": ("name", "x" * 300, "cannot use folder "),
}  # fmt: skip

MADE = {  # files, too
    "not JSON": (lambda s: s.data(line="{"), "train.jsonl, line 49: not JSON ("),
    "no label": (
        lambda s: s.data(line='{"text": "a", "confound": 0}'),
        "train.jsonl, line 49: 'label' is missing; add an integer",
    ),
    "huge label": (
        lambda s: s.data(line='{"text": "a", "label": 5000000000, "confound": 0}'),
        "train.jsonl, line 49: 'label' is 5000000000; make it an integer",
    ),
    "more labels than the encoder's head": (
        lambda s: s.data(train=[(7, 0), (7, 1)]),
        "the model has 2 classes (LABEL_0, LABEL_1), but the table 3 labels (0, 1, 7); take",
    ),
    "one class": (
        lambda s: s.data(drop=lambda y, c: y == 1),
        "every training row has label '0'; a classifier needs two classes",
    ),
    "label in test only": (
        lambda s: s.data(test=[(2, 0)]),
        "label '2' occurs in test but never in train; remove those rows",
    ),
    "no partner": (
        lambda s: (*s.data(train=[(1, 2)]), "methods", "influence_tuning"),
        "group 1/2 has 1 training example, which has no partner of the same confound; add",
    ),
    "no other confound": (
        lambda s: (*s.data(drop=lambda y, c: (y, c) == (1, 0)), "methods", "influence_tuning"),
        "label 1 occurs only with confound 1, so its examples have no partner of a different",
    ),
    "no CID": (
        lambda s: s.data(drop=lambda y, c: y != c),
        "no label occurs with two confounds in training, so there is nothing to compare; add",
    ),
    "no round": (
        lambda s: ("methods", "influence_tuning", "influence.interval", 999),
        "influence.interval is 999 but there are only 25 label steps, so no round would start",
    ),
    "small pools": (
        lambda s: (
            *("methods", "influence_tuning", "influence.partners", "pooled"),
            *("influence.batch", 7, "influence.interval", 9),
        ),
        "influence.batch is 7, which leaves fewer than 2 of each of 4 groups to a pool; "
        "set it to 8",
    ),
    "corrupt weights": (
        lambda s: s.encoder_file("model.safetensors", lambda data: b"x" * len(data)),
        "model.safetensors (Error while deserializing header: ",
    ),
    "truncated weights": (
        lambda s: s.encoder_file("model.safetensors", lambda data: data[: len(data) // 2]),
        "the file may be truncated: get it again",
    ),
    "another vocabulary": (
        lambda s: s.encoder_file("vocab.txt", lambda data: data + b"a\nb\nc\n"),
        "tokens, but the encoder ",
    ),
    "file above": (
        lambda s: (*s.file("file"), "out", str(s.folder / "file" / "inside")),
        "inside/default/finetuning-1: Not a directory; try another --out",
    ),
    "file": (lambda s: s.file(*s.run.parts), "finetuning-1 is a file; choose another --out"),
    "no run": (
        lambda s: (*s.file(*s.run.parts, "notes.txt"), "overwrite", "true"),
        "finetuning-1 is not empty and holds no run; choose another --out",
    ),
    "is a run": (
        lambda s: s.started(resume=False),
        "finetuning-1 already holds a run; go on with it by --resume, replace it by --over",
    ),
    "another configuration": (
        lambda s: s.started("label.epochs", "3"),
        "this run was started with config.label.epochs 5, not 3; resume it as it was started",
    ),
    "overwriting with a mistake": (
        lambda s: s.started("encoder", "./nowhere", "overwrite", "true", resume=False),
        "encoder folder ./nowhere does not exist",
    ),
    "damaged config.json": (
        lambda s: s.started(change=lambda run: (run / "config.json").write_text('{"method": ')),
        "config.json is damaged; start over with --overwrite",
    ),
    "config.json of a list": (
        lambda s: s.started(change=lambda run: (run / "config.json").write_text("[]")),
        "config.json is damaged; start over with --overwrite",
    ),
    "damaged result.json": (
        lambda s: s.started(change=lambda run: (run / "result.json").write_text("{")),
        "result.json or metrics.jsonl is damaged (",
    ),
    "truncated checkpoint": (lambda s: s.started(change=truncate_checkpoint), "is damaged; delete"),
    "emptied checkpoint": (lambda s: s.started(change=empty_checkpoint), "is damaged; delete"),
    "no metrics": (
        lambda s: s.started(record_bytes=9),
        "metrics.jsonl has 0 bytes but had 9 at the checkpoint: it is damaged; start over with",
    ),
}

CASES = MADE | {
    f"--{name}: {case}": (lambda s, name=name, value=value: (name, value), message)
    for case, (name, value, message) in GIVEN.items()
}


def contents(folder):
    return {
        path: path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))
    }


@pytest.mark.parametrize("case", CASES)
def test_bad_input(case, main, encoder, tmp_path, capfd):
    make, message = CASES[case]
    situation = Situation(tmp_path, main, encoder)
    command = situation.command(make(situation))
    (tmp_path / "out").mkdir(exist_ok=True)
    before = contents(tmp_path)
    capfd.readouterr()
    assert run_main(main, command) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("error: ")
    assert message in err
    assert contents(tmp_path) == before

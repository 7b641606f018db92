"""Configurations from presets, command lines and JSON."""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Optional

import pytest

from itune import UserError
from itune.config import parse, to_dict
from itune.config.command_line import given_values, to_arguments
from itune.config.keys import attribute_help
from itune.config.kinds import make_kind
from itune.config.mappings import from_dict, replaced, to_toml


@dataclass(frozen=True)
class Optimizer:
    """How parameters move.

    More about it, which does not count:
      rate: not this

    Attributes:
      rate: the ``learning`` rate, 100% of
        it.

      name (str): which rule.

    Raises:
      UserError: never this
    """

    rate: float = 1e-3
    name: Literal["adam", "sgd"] = "adam"
    clip: float | None = 1.0

    def __post_init__(self):
        if self.rate < 0:
            raise UserError(f"rate is {self.rate}; make it positive")
        if self.name == "sgd" and self.clip is None:
            raise UserError("without clipping sgd diverges")


@dataclass(frozen=True)
class Train:
    steps: int
    optimizer: Optimizer = Optimizer(rate=0.5)
    layers: tuple[int, ...] = ()
    means: tuple[float, float] = (1.0, 2.0)


@dataclass(frozen=True)
class Config:
    """An experiment."""

    train: Train
    seed: int = 1
    verbose: bool = False
    names: tuple[str, ...] = ("a", "b")
    out: Path = Path("runs")
    text: Optional[str] = None  # noqa: UP045
    level: Literal[1, 2] = 2
    again: Optimizer = field(default_factory=lambda: Optimizer(name="sgd"))
    derived: int = field(default=0, init=False)


@pytest.fixture
def presets(tmp_path):
    paper = '# The published setting.\n# Took an hour.\nseed = 3\ntext = "t"\n[train]\nsteps = 7\n'
    more = 'layers = [1, 2]\nmeans = [3, 4.5]\n[train.optimizer]\nrate = 1\nclip = "none"\n'
    (tmp_path / "paper.toml").write_text(paper + more)
    (tmp_path / "toy.toml").write_text("#\n#  In seconds. \ntrain.steps = 1\n")
    (tmp_path / "note.md").write_text("# Not a preset")
    return tmp_path


@pytest.fixture
def read(presets):
    def read(*argv, default="paper"):
        kwargs = {"prog": "run.py", "description": "Runs it.", "default_preset": default}
        return parse(Config, presets, argv, **kwargs)

    return read


def test_preset_over_defaults(read):
    assert read() == read("--preset", "paper")
    assert read() == Config(
        train=Train(7, Optimizer(1.0, "adam", None), (1, 2), (3.0, 4.5)), seed=3, text="t"
    )
    assert type(read().train.optimizer.rate) is float
    assert read("--preset=toy").train == Train(1, Optimizer(rate=0.5))


def test_command_line_over_preset(read):
    words = """
        --seed 4 --seed 5 --verbose true --names x,,y=z --out a/b --text none --level 1
        --train.steps=-2 --train.layers= --train.means -1e-3,2 --train.optimizer.rate .5
        --train.optimizer.name sgd --train.optimizer.clip -0 --again.rate 2e3
    """
    assert read(*words.split()) == Config(
        train=Train(-2, Optimizer(0.5, "sgd", 0.0), (), (-0.001, 2.0)),
        seed=5,
        verbose=True,
        names=("x", "", "y=z"),
        out=Path("a/b"),
        level=1,
        again=Optimizer(2000.0, "sgd"),
    )
    assert read("--train.steps", "1", default=None) == Config(train=Train(1))
    assert read("--verbose", "false").verbose is False
    assert read("--verbose", "--seed", "4") == read("--verbose", "true", "--seed", "4")


def test_last_part_of_a_name(read):
    """Enough where no other key ends in it."""
    assert read("--steps", "5", "--means=1,2") == read("--train.steps", "5", "--train.means", "1,2")
    assert read("--steps", "5").train.steps == 5


def test_last_parts_of_a_name(read):
    """More of them where one is not enough."""
    assert read("--steps", "5", "--optimizer.rate", "2").train.optimizer.rate == 2


def test_values_that_are_given_and_replaced(read):
    argv = ["positional", "--steps", "5", "--verbose"]
    assert given_values(Config, argv) == {"train.steps": 5, "verbose": True}
    assert given_values(Config, argv, "train.") == {"steps": 5}
    config = read("--steps", "5", "--seed", "9")
    new = replaced(config, {"train.steps": 6, "names": ["x"]})
    assert (new.train.steps, new.names, new.seed) == (6, ("x",), 9)
    with pytest.raises(UserError, match="train.step is not a key; did you mean train.steps"):
        replaced(config, {"train.step": 6})


def test_defaults_that_follow_from_the_data(capsys):
    with pytest.raises(SystemExit):
        more: dict = {"scaled": ["clip"], "choices": {"name": ["a", "b"]}}
        parse(Optimizer, None, ["--help"], prog="", description="", **more)
    shown = capsys.readouterr().out
    assert shown.count("(default: scaled to the data)") == 1 and "(default: 0.001)" in shown
    assert "which rule. Out of a, b. (default: " in " ".join(shown.split())


def test_hyphens_and_abbreviations():
    @dataclass(frozen=True)
    class Two:
        learning_rate: float = 0.0
        text: str = ""

    def read(*argv):
        return parse(Two, Path("/none"), argv, prog="", description="", default_preset=None)

    assert read("--learning-rate", "1") == read("--learning_rate=1") == Two(1.0)
    assert read("--text=--a-b") == Two(text="--a-b")
    with pytest.raises(UserError, match="--learning is not an option"):
        read("--learning", "1")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--sead", "1"], "--sead is not an option; did you mean --seed?"),
        (["--layerz=1"], "--layerz is not an option; did you mean --train.layers?"),
        (["--rate", "1"], "--rate is not an option; did you mean"),  # two keys end in it
        (["--trian.steps", "1"], "--trian.steps is not an option; did you mean --train.steps?"),
        (["--xyzzy"], "--xyzzy is not an option; --help lists the options"),
        (["--train", "1"], "--train is not an option"),
        (["--derived", "1"], "--derived is not an option"),
        (["word"], "unrecognized arguments: word"),
        (["--seed"], "--seed has no value; give it one, or leave it out"),
        (["--seed", "1.0"], "--seed must be an integer, got '1.0'"),
        (["--seed", "none"], "--seed must be an integer, got 'none'"),
        (["--verbose", "yes"], "--verbose must be true or false, got 'yes'"),
        (["--level", "3"], "--level must be 1 or 2, got '3'"),
        (["--out", ""], "--out must be a path, got ''"),
        (["--again.rate", "nan"], "--again.rate must be a finite number, got 'nan'"),
        (["--again.clip", "x"], "--again.clip must be a finite number or none, got 'x'"),
        (["--train.layers", "1,a"], "must be a list, each item an integer, got '1,a'"),
        (["--train.means", "1"], "must be a list of 2 (a finite number, a finite number), got '1'"),
        (["--train.means", "1,2,3"], "a finite number), got '1,2,3'"),
        (["--again.rate", "-1"], "again.rate is -1.0; make it positive"),
        (["--again.clip", "none"], "again: without clipping sgd diverges"),
        (["--preset", "toi"], "there is no preset 'toi'; the presets are toy, paper"),
        (["--preset", "../paper"], "there is no preset '../paper'; the presets are paper, toy"),
    ],
)
def test_bad_command_lines(read, argv, message):
    with pytest.raises(UserError) as caught:
        read(*argv)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_required_keys(read):
    with pytest.raises(UserError, match=r"^train.steps is not set; give --train.steps, an integer"):
        read(default=None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sead = 1", "sead is not a key; did you mean seed?"),
        ("[trian]\nsteps = 1", "trian is not a key; did you mean train"),
        ("[trian]", "trian is not a key; did you mean train"),
        ("[train]\nstepz = 1", "train.stepz is not a key; did you mean train.steps?"),
        ("train = 1", "train is a section, not a value; put its keys under [train]"),
        ("seed = '1'", "seed must be an integer, got '1'"),
        ("seed = true", "seed must be an integer, got True"),
        ("seed = 1.0", "seed must be an integer, got 1.0"),
        ("seed.x = 1", "seed must be an integer, got {'x': 1}"),
        ("verbose = 1", "verbose must be true or false, got 1"),
        ("level = true", "level must be 1 or 2, got True"),
        ("names = 'a'", "names must be a list, each item a string, got 'a'"),
        ("out = 1", "out must be a path, got 1"),
        ("again.rate = inf", "again.rate must be a finite number, got inf"),
        ("again.rate = true", "again.rate must be a finite number, got True"),
        (
            "train.means = [1]",
            "train.means must be a list of 2 (a finite number, a finite number), got",
        ),
        ("seed = ", "Invalid value (at end of document)"),
        ("\xff", "can't decode byte"),
    ],
)
def test_bad_presets(read, presets, text, message):
    path = presets / "paper.toml"
    path.write_bytes(text.encode("latin1"))
    with pytest.raises(UserError) as caught:
        read()
    assert message in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).removeprefix("cannot read ").startswith(f"{path}: ")


def test_there_are_no_presets(tmp_path):
    kwargs = {"prog": "", "description": "", "default_preset": None}
    with pytest.raises(UserError, match="there is no preset 'a'; .*folder holds none"):
        parse(Optimizer, tmp_path / "folder", ["--preset", "a"], **kwargs)


@pytest.fixture
def helped(read, capsys, monkeypatch):
    """The lines of a help text, each with single spaces."""
    monkeypatch.setenv("COLUMNS", "100")

    def helped(*argv, **options):
        with pytest.raises(SystemExit) as leaving:
            read(*argv, "--help", **options)
        assert leaving.value.code == 0
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    return helped


def test_help(helped):
    lines = helped(default=None)
    assert lines[0] == "usage: run.py [--preset NAME] [--KEY VALUE ...]" and "Runs it." in lines
    for line in (
        "--preset NAME a preset, see below",
        "--seed INT (default: 1)",
        "--names STR,… (default: a,b)",
        "--text STR|none (default: none)",
        "--train.steps INT (required)",
        "--train.layers INT,… (default: '')",
        "How parameters move.",
        "the learning rate, 100% of it. (default: 0.5)",
        "--again.name adam|sgd which rule. (default: sgd)",
        "paper The published setting.",
        "toy In seconds.",
    ):
        assert line in lines, line
    assert not any("Train(" in line for line in lines)  # the docstring dataclasses write
    assert "derived" not in " ".join(lines) and "Not a preset" not in " ".join(lines)


PAPER = [
    "--seed INT (preset paper: 3)",
    "--text STR|none (preset paper: t)",
    "--train.steps INT (preset paper: 7)",
    "--train.layers INT,… (preset paper: 1,2)",
    "the learning rate, 100% of it. (preset paper: 1.0)",
    "(preset paper: none)",
]
TOY = ["--seed INT (default: 1)", "--train.steps INT (preset toy: 1)"]


@pytest.mark.parametrize(
    ("argv", "default", "expected"),
    [
        ((), "paper", PAPER),
        (("--preset", "paper"), "toy", PAPER),
        (("--preset=toy", "--preset=paper", "--seed", "5"), None, PAPER),
        (("--preset=toy",), "paper", TOY),
    ],
)
def test_help_on_a_preset(helped, argv, default, expected):
    """What holds if no further option is given, and where it comes from."""
    lines = helped(*argv, default=default)
    assert not set(expected) - set(lines)
    assert "--level 1|2 (default: 2)" in lines
    suffix = f" (default: {default})" if default else ""
    assert f"--preset NAME a preset, see below{suffix}" in lines


def test_help_on_a_preset_that_is_not_there(read):
    with pytest.raises(UserError, match="there is no preset 'toi'"):
        read("--preset", "toi", "--help")


def test_attributes_sections():
    assert attribute_help(Optimizer) == {
        "rate": "the learning rate, 100% of it.",
        "name": "which rule.",
    }

    class Child(Optimizer):
        """A child.

        Attributes:
          name: another
          extra:
            its own
        """

    told = attribute_help(Child)
    assert told["rate"] == attribute_help(Optimizer)["rate"]
    assert told["name"] == "another" and told["extra"] == "its own"


def test_to_dict_and_back(read):
    config = read("--verbose", "true")
    plain = to_dict(config)
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["train"]["layers"] == [1, 2] and plain["train"]["optimizer"]["clip"] is None
    assert plain["out"] == "runs" and "derived" not in plain
    assert from_dict(Config, plain) == config
    assert from_dict(Config, {"train": {"steps": 1}}) == Config(train=Train(1))


def test_to_arguments_and_back(read):
    words = "--seed -4 --verbose --names x,,y --text none --layers= --means -1e-3,2 --again.rate 2"
    config = read(*words.split())
    options = to_arguments(config, read())
    assert options[:4] == ["--train.layers", "", "--train.means", "-0.001,2.0"]
    assert len(options) == 2 * 7
    assert read(*options) == config and to_arguments(config, config) == []


def test_to_toml_and_back():
    @dataclass(frozen=True)
    class Two:
        a: Optimizer = Optimizer()
        text: str | None = ""
        path: Path = Path("a")
        names: tuple[str, ...] = ()
        again: Optimizer = Optimizer()

    config = Two(Optimizer(1e-5, "sgd"), 'ä"\n\\🙂', Path("b c"), ("x", ""), Optimizer(clip=None))
    for value in (config, Two(text=None), Two()):
        assert from_dict(Two, tomllib.loads(to_toml(value))) == value
    assert to_toml(Two()) == "" and to_toml(Two(text="b")) == 'text = "b"'


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"train": {"steps": 1}, "sead": 1}, "sead is not a key; did you mean seed?"),
        ({"train": {"steps": None}}, "train.steps must be an integer, got None"),
        ({}, "train.steps is not set"),
        ({"train": {"steps": 1}, "again": {"rate": -1}}, "again.rate is -1.0; make it positive"),
        ([], r"\[\] is no configuration"),
    ],
)
def test_from_dict_refuses(mapping, message):
    with pytest.raises(UserError, match=f"^{message}"):
        from_dict(Config, mapping)
    with pytest.raises(UserError, match=f"^run/config.json: {message}"):
        from_dict(Config, mapping, source="run/config.json")


@pytest.mark.parametrize("annotation", [dict, list[int], int | str, tuple, bytes, None])
def test_annotations_that_are_refused(annotation):
    with pytest.raises(TypeError, match="a configuration cannot hold"):
        make_kind(annotation)


@dataclass(frozen=True)
class Command:
    """What it does it to."""

    file: str = "none"
    other: str = "none"
    seed: int = 1


def test_values_without_their_options(capsys):
    def command(*argv):
        places = {"FILE": "file", "MORE": "other"}
        return parse(
            Command, None, argv, prog="command", description="Does it.", positionals=places
        )

    both = Command("a", "b", 2)
    assert command("a", "b", "--seed", "2") == command("--seed", "2", "a", "b") == both
    assert command("a", "--seed", "2", "b") == command("a", "--seed", "2", "--other", "b") == both
    assert command("--file", "a") == command("a") == Command("a") and command() == Command()
    with pytest.raises(UserError, match="unrecognized arguments: c"):
        command("a", "b", "c")
    with pytest.raises(UserError, match="--preset is not an option"):
        command("--preset", "x")
    with pytest.raises(SystemExit):
        command("--help")
    shown = capsys.readouterr().out
    assert (
        "usage: command FILE MORE [--KEY VALUE ...]" in shown
        and "short for --other MORE" in shown
        and "preset" not in shown
    )

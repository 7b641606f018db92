"""The registry: every method finds its settings in the configuration of a run."""

import dataclasses
import inspect

import pytest

from itune.config import parse
from itune.errors import UserError
from itune.methods import METHODS
from itune.methods.registry import require_method, unused_sections
from itune.training.settings import TrainingConfig

SECTIONS = {
    field.name: type(field.default_factory())
    for field in dataclasses.fields(TrainingConfig)
    if field.default_factory is not dataclasses.MISSING
}


@pytest.mark.parametrize("name", METHODS)
def test_a_factory_takes_the_sections_that_are_named(name):
    spec = METHODS[name]
    first, label, *own, train, seed = inspect.signature(spec.factory).parameters.values()
    names = [parameter.name for parameter in (first, label, train, seed)]
    assert names == ["classifier", "label", "train", "seed"]
    settings = spec.settings.values()
    assert all(issubclass(a, b.annotation) for a, b in zip(settings, own, strict=True))


def test_what_methods_have_of_their_own_are_sections_of_a_run():
    for spec in METHODS.values():
        assert spec.settings.items() <= SECTIONS.items()
    given = ["--group_dro.step_size", "0.5", "--embedding.partners", "pooled"]
    config = parse(TrainingConfig, None, given, prog="", description="")
    assert (config.group_dro.step_size, config.embedding.partners) == (0.5, "pooled")


@pytest.mark.parametrize("name", METHODS)
def test_a_method_depends_on_its_sections_or_leaves_them(name):
    spec = METHODS[name]
    sections = {"label", *spec.settings, *(["access"] if spec.reads_confounds else [])}
    assert unused_sections(name) == SECTIONS.keys() - sections


def test_an_unknown_method_is_refused():
    with pytest.raises(UserError, match="^method must be one of finetuning, .*, got 'tuning'; did"):
        require_method("tuning")

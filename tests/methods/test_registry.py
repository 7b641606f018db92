"""The registry: every method finds its settings in the configuration of a run."""

import dataclasses
import inspect

import pytest

from itune.errors import UserError
from itune.methods import METHODS, require_method
from itune.methods.registry import unused_sections
from itune.training.settings import TrainingConfig

SECTIONS = {
    field.name: type(field.default_factory())
    for field in dataclasses.fields(TrainingConfig)
    if field.default_factory is not dataclasses.MISSING
}


@pytest.mark.parametrize("name", METHODS)
def test_a_factory_takes_the_sections_that_are_named(name):
    spec = METHODS[name]
    first, *configs, train, seed = inspect.signature(spec.factory).parameters.values()
    assert (first.name, train.name, seed.name) == ("classifier", "train", "seed")
    taken = [SECTIONS[section] for section in spec.sections]
    assert all(issubclass(a, b.annotation) for a, b in zip(taken, configs, strict=True))


@pytest.mark.parametrize("name", METHODS)
def test_a_method_depends_on_its_sections_or_leaves_them(name):
    sections = {*METHODS[name].sections, *(["access"] if METHODS[name].reads_confounds else [])}
    assert unused_sections(name) == SECTIONS.keys() - sections - {"data"}


def test_an_unknown_method_is_refused():
    with pytest.raises(UserError, match="^method must be one of finetuning, .*, got 'tuning'$"):
        require_method("tuning")

"""The check of docstrings finds what it is for, and nothing else."""

import pytest

from tests.docstrings import find_problems

MODULE = '''
def train(rows, seed):
    """Train a classifier.

    Args:
      rows: {rows}
      seed: Seed of the random generator; an integer
        from 0 to 2**32 - 1.

    Returns:
      The trained classifier.
    """
'''


def reasons(entry, **options):
    return [problem.reason for problem in find_problems(MODULE.format(rows=entry), **options)]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("the same.", "leans on another entry"),
        ("the same of the test.", "leans on another entry"),
        ("likewise, of the test.", "leans on another entry"),
        ("as of :func:`tune`.", "leans on another entry"),
        ("of the table.", "begins with a bare 'of' or 'that'"),
        ("that of the table.", "begins with a bare 'of' or 'that'"),
        ("", "says nothing"),
    ],
)
def test_entries_that_need_another_one_are_found(entry, reason):
    assert reasons(entry) == [reason]


@pytest.mark.parametrize(
    "entry", ["Rows of the table.", "rows of the table", "The same rows twice."]
)
def test_entries_that_stand_alone_pass(entry):
    assert reasons(entry) == []


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("rows of the table.", "begins in lower case"),
        ("Rows of the table", "has no full stop"),
    ],
)
def test_form_asks_for_sentences(entry, reason):
    assert reasons(entry, form=True) == [reason]
    assert reasons("Rows of the table.", form=True) == []


def test_private_names_are_left_alone():
    assert find_problems(MODULE.format(rows="the same.").replace("train", "_train")) == []

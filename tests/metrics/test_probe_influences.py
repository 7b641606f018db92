"""Influence on single probes against all pairs."""

import math

import numpy as np
import pytest

from itune.errors import UserError
from itune.metrics import probe_influences
from tests.metrics.test_cid import LOSS, THREE_VALUED, by_definition, pair_matrix, params


@pytest.mark.parametrize("chunk", [3, 20])
def test_against_all_pairs(chunk):
    seen = []
    probes = [7, 0, 1]
    influences = probe_influences(
        LOSS,
        params(),
        THREE_VALUED,
        probes=probes,
        chunk=chunk,
        on_progress=lambda *done: seen.append(done),
    )
    matrix = pair_matrix(THREE_VALUED)
    groups = {
        7: ([8, 9], [10, 11, 12]),
        0: ([1, 2, 3], [4, 5, 6]),
        1: ([0, 2, 3], [4, 5, 6]),
    }
    for influence, probe in zip(influences, probes, strict=True):
        for values, group in zip((influence.same, influence.different), groups[probe], strict=True):
            np.testing.assert_allclose(values, matrix[probe, group], rtol=0, atol=1e-10)
    differences = [influence.difference for influence in influences]
    expected = by_definition(THREE_VALUED, probes, with_self=False)
    np.testing.assert_allclose(differences, expected, rtol=0, atol=1e-10)
    assert [str(influence.group) for influence in influences] == ["y=1 c=1", "y=0 c=0", "y=0 c=0"]
    chunks = math.ceil(7 / chunk) + math.ceil(6 / chunk)  # each label's examples once
    assert seen == [(done, chunks) for done in range(1, chunks + 1)]
    row = influences[0].to_dict()
    assert row["probe"] == 7 and len(row["same"]) == 2 and math.isfinite(row["welch_t"])


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (15, "probe must be an index from 0 to 14, got 15"),
        (-1, "probe must be an index from 0 to 14, got -1"),
        (13, "probe 13 has no training example of its label and the different confound"),
        (4, "probe 4 has no training example of its label and the same confound"),
    ],
)
def test_probes_without_an_answer(probe, message):
    with pytest.raises(UserError, match=message):
        probe_influences(LOSS, params(), THREE_VALUED, probes=[0, probe])

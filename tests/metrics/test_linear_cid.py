"""CID of a number in two passes against least squares through all pairs, probe by probe."""

import numpy as np
import pytest

from itune.auditing.cid_breakdown import break_down_cid
from itune.errors import UserError
from itune.metrics import make_group_influences
from itune.metrics.linear_cid import make_linear_cid
from itune.utils.resumable import Resumable
from tests.metrics.test_cid import LOSS, make_dataset, pair_matrix, params

NAN = float("nan")
LABEL = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2]
NUMBER = np.array([3, 1, 4, NAN, 1, 5, 9, -2, 6.5, -2, 5, 3, 7, 7, 7, 8])
DATASET = make_dataset(LABEL, [0] * 16)
COMPARED = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11]


def by_definition(number):
    """``2 x_p b_p`` of each probe, b_p by least squares; label 2 has no line without its last."""
    matrix, found = pair_matrix(DATASET), []
    for probe in COMPARED:
        rows = [i for i in COMPARED if LABEL[i] == LABEL[probe]]
        x = (number - number[rows].mean()) / number[rows].std()
        others = [i for i in rows if i != probe]
        slope, _ = np.polyfit(x[others], matrix[probe, others], 1)
        found.append(2 * x[probe] * slope)
    return np.array(found)


def cid_of(number, dataset=DATASET, **options):
    return make_linear_cid(LOSS, dataset, np.asarray(number, float), **options)(params())


@pytest.mark.parametrize("chunk", [1, 4])
def test_against_all_pairs(chunk):
    calls = []
    found = cid_of(NUMBER, chunk=chunk, on_progress=lambda *step: calls.append(step))
    assert found.probes.tolist() == COMPARED and found.own.tolist() == [1] * 11
    np.testing.assert_allclose(found.values, by_definition(NUMBER), rtol=0, atol=1e-10)
    assert np.abs(found.values).max() > 0.1
    total = {1: 22, 4: 8}[chunk]
    assert calls == [(done + 1, total) for done in range(total)]


@pytest.mark.parametrize("change", [lambda x: x + 1000, lambda x: 0.01 * x, lambda x: -3 * x + 1])
def test_shift_and_scale_do_not_matter(change):
    expected = cid_of(NUMBER).values
    np.testing.assert_allclose(cid_of(change(NUMBER)).values, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize("ones", [3, 2])
def test_two_values_are_two_groups(ones):
    """4 n_1 n_0 / n² times the CID of the pair: that very CID where groups are equally large."""
    size = 6
    group = np.array([1] * ones + [0] * (size - ones))
    dataset = make_dataset([0] * size, group)
    of_groups = make_group_influences(LOSS, dataset, probes=np.arange(size))(params())
    (pair,) = break_down_cid(of_groups).pairs
    factor = 4 * ones * (size - ones) / size**2
    found = cid_of(18 + 47 * group, dataset).values.mean()
    assert found == pytest.approx(factor * pair.cid, abs=1e-12) and abs(found) > 0.01
    if ones == 3:
        assert found == pytest.approx(break_down_cid(of_groups).cid, abs=1e-12)


def test_no_line_to_draw():
    with pytest.raises(UserError, match="no label of the training data has three rows whose numb"):
        cid_of([1] * 7 + [2] * 4 + [5] + [NAN] * 4)


def test_an_interrupted_sum_goes_on(tmp_path):
    def stop(done, total):
        if done == 5:
            raise KeyboardInterrupt

    def run(on_progress):
        with Resumable(tmp_path / "kept") as resumable:
            return cid_of(NUMBER, chunk=4, on_progress=on_progress, resumable=resumable)

    with pytest.raises(KeyboardInterrupt):
        run(stop)
    calls = []
    again = run(lambda done, total: calls.append(done))
    np.testing.assert_array_equal(again.values, cid_of(NUMBER, chunk=4).values)
    assert calls == [2, 4, 5, 6, 7, 8]

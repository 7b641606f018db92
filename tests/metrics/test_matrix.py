"""The influence matrix on disk: the same numbers, however it was cut up or cut off."""

import jax
import numpy as np
import pytest

from itune.data.dataset import collate
from itune.errors import UserError
from itune.metrics import matrix, read_influence_matrix, write_influence_matrix
from itune.metrics.matrix import influences_among
from tests.metrics.test_cid import LOSS, THREE_VALUED, pair_matrix, params

PROBES = np.array([3, 0, 14, 7, 8])


def write(folder, **changes):
    arguments = {"probes": PROBES, "chunk": 2} | changes
    write_influence_matrix(
        LOSS, arguments.pop("params", params()), THREE_VALUED, folder, **arguments
    )


@pytest.mark.parametrize("chunk", [2, 20])
def test_against_all_pairs(tmp_path, chunk):
    seen = []
    write(tmp_path / "new", chunk=chunk, on_progress=lambda *done: seen.append(done))
    matrix = read_influence_matrix(tmp_path / "new")
    assert matrix.probes.tolist() == PROBES.tolist()
    np.testing.assert_allclose(matrix.scores, pair_matrix(THREE_VALUED)[PROBES], atol=1e-10)
    assert seen == ([(1, 3), (2, 3), (3, 3)] if chunk == 2 else [(1, 1)])


@pytest.mark.parametrize(("chunk", "memory"), [(2, 0), (2, 3000), (3, 1 << 30), (20, 0)])
def test_among_some(chunk, memory):
    indices, seen = np.array([3, 0, 14, 7, 8]), []
    cosines = influences_among(
        LOSS,
        params(),
        THREE_VALUED,
        indices,
        chunk=chunk,
        memory=memory,
        on_progress=lambda *done: seen.append(done),
    )
    expected = pair_matrix(THREE_VALUED)[np.ix_(indices, indices)]
    np.testing.assert_allclose(cosines, expected, atol=1e-10)
    assert seen[-1][0] == seen[-1][1] == len(seen)


@pytest.mark.parametrize(("memory", "blocks"), [(0, 3 + 2 + 1), (1 << 30, 3)])
def test_gradients_that_are_held_are_not_made_again(memory, blocks, monkeypatch):
    make, made = matrix._make_block, []

    def counted(*args, **kwargs):
        block = make(*args, **kwargs)
        return lambda indices: made.append(indices) or block(indices)

    monkeypatch.setattr(matrix, "_make_block", counted)
    influences_among(LOSS, params(), THREE_VALUED, np.arange(5), chunk=2, memory=memory)
    assert len(made) == blocks


def test_products_of_some_parameters(tmp_path):
    write(tmp_path, kind="product", select="Dense_0/bias")
    batch = collate(THREE_VALUED, np.arange(len(THREE_VALUED)))
    gradients = jax.jit(jax.vmap(jax.grad(LOSS), (None, 0)))(params(), batch)
    rows = np.asarray(gradients["Dense_0"]["bias"])
    scores = read_influence_matrix(tmp_path).scores
    np.testing.assert_allclose(scores, (rows @ rows.T)[PROBES], atol=1e-12)


def test_goes_on_where_it_was_cut_off(tmp_path):
    def stop(done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, on_progress=stop)
    first = (tmp_path / "rows-00000.npz").stat().st_mtime_ns
    assert not (tmp_path / "rows-00002.npz").exists()
    (tmp_path / "rows-00001.npz").unlink()
    with pytest.raises(UserError, match="holds no influence matrix"):
        read_influence_matrix(tmp_path / "rows")
    write(tmp_path)
    assert (tmp_path / "rows-00000.npz").stat().st_mtime_ns == first
    np.testing.assert_allclose(
        read_influence_matrix(tmp_path).scores, pair_matrix(THREE_VALUED)[PROBES], atol=1e-10
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"chunk": 3}, "begun with chunk 2, not 3; choose another folder"),
        ({"kind": "product"}, "begun with kind cosine, not product"),
        ({"select": "Dense_0/*"}, "begun with tensors all, not Dense_0/bias Dense_0/kernel"),
        ({"probes": PROBES[:4]}, "begun with data_sha256"),
        ({"params": jax.tree.map(lambda p: 2 * p, params())}, "begun with params_sha256"),
    ],
)
def test_another_matrix_in_the_folder(tmp_path, changes, message):
    write(tmp_path)
    with pytest.raises(UserError, match=message):
        write(tmp_path, **changes)


def test_damage(tmp_path):
    write(tmp_path)
    (tmp_path / "rows-00001.npz").write_bytes(b"PK")
    with pytest.raises(UserError, match="rows-00001.npz is damaged; delete it"):
        read_influence_matrix(tmp_path)
    (tmp_path / "rows-00001.npz").unlink()
    with pytest.raises(UserError, match="a block of rows is missing"):
        read_influence_matrix(tmp_path)
    (tmp_path / "matrix.json").write_text("{")
    with pytest.raises(UserError, match="matrix.json is damaged"):
        write(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot use folder"):
        write(tmp_path / "file")
    with pytest.raises(UserError, match="probes must have at least one index, got none"):
        write(tmp_path / "none", probes=np.array([], int))

"""Tuples and pools of the tiny method's data, as plans make them."""

import numpy as np

from itune.data.dataset import collate
from tests.helpers.tiny_method import TRAIN

ROWS = np.array([[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 10, 10]])  # the probe first
WEIGHTS = np.array([[0.5, 0.5, -0.5, -0.5], [0.5, 0.5, -0.5, -0.5], [0.5, 0.5, 0.0, 0.0]])


def tuple_chunk(rows, size=2):
    is_real = np.arange(size) < len(rows)
    rows = np.concatenate([rows, np.repeat(rows[:1], size - len(rows))])
    return {
        "examples": collate(TRAIN, ROWS[rows]),
        "weights": (WEIGHTS[rows] * is_real[:, None]).astype(np.float32),
        "is_real": is_real,
    }


def pool_chunk(rows, is_real):
    return {"examples": collate(TRAIN, np.array(rows)), "is_real": np.array(is_real)}

"""Settings for data of any size, scaled from the paper's settings for its own data."""

import math
from typing import Any

from itune.methods import (
    AdversarialConfig,
    BcsiConfig,
    CncConfig,
    EmbeddingConfig,
    InfluenceConfig,
    JttConfig,
    LabelConfig,
    LastLayerConfig,
)
from itune.methods.rounds import ALL, LEFT_OUT, OWN, POOLED
from itune.methods.rounds import BALANCED as DRAWN_EVENLY
from itune.training.best_checkpoint import BALANCED
from itune.training.settings import TrainingConfig

PAPER_SIZE, PAPER_EPOCHS, PAPER_WIDTH = 1500, 10, 768
LAYERS, LENGTH = 12, 64
VOCABULARY = 30_522
PROBES = 75
MOST_SUMS = 2 << 30
"""Bytes of the sums of unit gradients of all groups, above which labels are taken one by one.

Pools in pieces hold several such sums at once; whole ones hold those of one tensor."""
CID_PROBES, CID_ROWS = 100, 500
ROUNDS = ("interval", "batch", "probes", "learning_rate", "partners", "lone")


SCALED = (
    *("max_length", "cid_probes", "cid_rows", "selection", "accuracy_every"),
    *("label.epochs", "label.batch", "label.learning_rate", "label.chunk"),
    *("influence.chunk", "influence.pool_chunk"),
    *(f"{phase}.{name}" for phase in ("influence", "embedding") for name in ROUNDS),
    *("influence.labels", "influence.batches"),
    *("adversarial.epochs", "adversarial.learning_rate", "jtt.epochs", "last_layer.epochs"),
    *("bcsi.epochs", "bcsi.remedy_epochs", "cnc.epochs"),
)
"""Names of the settings that :func:`schedule` decides."""


def schedule(
    size: int,
    *,
    groups: int = 4,
    width: int = PAPER_WIDTH,
    layers: int = LAYERS,
    vocabulary: int = VOCABULARY,
    label_rate: float = 1.0,
    length: int = LENGTH,
    batch: int | None = None,
    epochs: int | None = None,
    dev: int | None = None,
) -> TrainingConfig:
    """Return the paper's settings, scaled to a number of rows n and to the width of an encoder.

    The paper trains BERT-base (width 768) on 1500 rows in 10 epochs with batches of 64, and on
    10,000 rows in 3; it interrupts 230 label steps by 4 rounds of 6 influence updates each::

        batch     the power of two next to n / 16, from 8 to 64, no less than groups, n at most
        epochs    10 (1500 / n)^0.63, from 1 to 20               which is 10 at 1500, 3 at 10,000
        rate      2e-5 * 768 / width, times that of the family over BERT's, from 1e-5 to 1e-4
        steps     T = epochs (n // batch)
        interval  T / 4.6, 50 at most, which leaves room for 4 rounds; but no more than 45 of them
        pool      64 rows, n at most, and 64^2 / length of longer texts; 4 of each group at least
        probes    75 pool / 64 in 5 epochs, which makes 6 updates a round
        rate      3e-5, in rounds, and 3e-5 * 768 / width of encoders wider than BERT-base
        labels    all, but own where the sums of the gradients of all groups, which pools in pieces
                  hold at once, have over 2 GiB: 4 groups of BERT-base have 1.6, 9 of MiniLM 0.7
        dev       measured every 5 / 3 of its rows over batch label steps, 4 at least: a fifth of
                  the time of these steps; once an epoch where that is more often
        chunk     8 rows at once, or 2 tuples, and in proportion fewer of models and texts with more
                  than 12 layers of width 768 and 64 tokens, of rows with more than twice that; the
                  result is the same
        pieces    32 rows of a pool at once with these, and more or fewer in inverse proportion; the
                  result is the same

    Embedding tuning has the same rounds in 10 epochs; adversarial training twice the epochs at 2.5
    times the rate, and last layer retraining ten times the epochs. The first training of just train
    twice and of CnC has a fifth of the epochs, and so have the biased models and the remedy of
    BCSI. Rounds take pooled partners; those of influence tuning count influence on all labels, and
    its label steps are balanced, as with groups of twenty rows the confound is learnt anew between
    rounds otherwise. CID is measured with 100 probes against 500 training rows. The checkpoint with
    the best group-balanced accuracy on dev is selected.

    Args:
      size: Number of training rows, n.
      groups: Number of groups among the training rows.
      width: Hidden size of the encoder.
      layers: Number of its layers.
      vocabulary: Number of its tokens.
      label_rate: Learning rate of label steps of its family, over BERT's at one width.
      length: Number of tokens that inputs are truncated to.
      batch: Batch size of label steps; None scales it to n.
      epochs: Number of epochs of label steps; None scales it to n.
      dev: Number of rows of dev; None measures it once an epoch.

    >>> for n in (100, 1500, 100_000):
    ...     s = schedule(n)
    ...     print(n, (s.label.batch, s.label.epochs, s.influence.interval, s.influence.batch))
    100 (8, 20, 50, 64)
    1500 (64, 10, 50, 64)
    100000 (64, 1, 50, 64)
    >>> schedule(1500, width=384).label.learning_rate
    4e-05
    """
    exponent = max(round(min(max(math.log2(size / 16), 3), 6)), math.ceil(math.log2(groups)))
    batch = batch or min(size, 2**exponent)
    epochs = epochs or min(max(round(PAPER_EPOCHS * (PAPER_SIZE / size) ** 0.63), 1), 20)
    rate = min(max(2e-5 * label_rate * PAPER_WIDTH / width, 1e-5), 1e-4)
    room = PAPER_WIDTH * LAYERS * LENGTH / (width * layers * length)
    steps = epochs * (size // batch)
    pool = max(round(min(size, 64) * min(64 / length, 1)), 4 * groups)
    interval = min(max(10 * steps // 46, 1), max(50, steps // 46))
    probes = max(PROBES * pool // 64, 1)
    round_rate = 3e-5 * min(PAPER_WIDTH / width, 1)
    values = (interval, pool, probes, round_rate, POOLED, LEFT_OUT)
    rounds: dict[str, Any] = dict(zip(ROUNDS, values, strict=True))
    fifth = max(epochs // 5, 1)
    sums = 4 * (12 * layers * width**2 + vocabulary * width)
    of_methods: dict[str, Any] = {
        "influence": InfluenceConfig(
            **rounds,
            labels=ALL if groups * sums <= MOST_SUMS else OWN,
            batches=DRAWN_EVENLY,
            chunk=max(round(2 * min(room, 1)), 1),
            pool_chunk=max(round(32 * room), 1),
        ),
        "embedding": EmbeddingConfig(**rounds),
        "adversarial": AdversarialConfig(epochs=2 * epochs, learning_rate=2.5 * rate),
        "jtt": JttConfig(epochs=fifth),
        "bcsi": BcsiConfig(epochs=fifth, remedy_epochs=fifth),
        "cnc": CncConfig(epochs=fifth),
        "last_layer": LastLayerConfig(epochs=10 * epochs),
    }
    return TrainingConfig(
        max_length=length,
        cid_probes=CID_PROBES,
        cid_rows=CID_ROWS,
        selection=BALANCED,
        accuracy_every=None if dev is None else _every(dev, batch, size // batch),
        label=LabelConfig(
            epochs=epochs, batch=batch, learning_rate=rate, chunk=max(min(int(16 * room), 8), 1)
        ),
        **of_methods,
    )


def _every(dev: int, batch: int, epoch: int) -> int | None:
    """Return after how many label steps dev is measured: a row costs a third of a training row."""
    every = max(math.ceil(5 * dev / (3 * batch)), 4)
    return every if every < epoch else None

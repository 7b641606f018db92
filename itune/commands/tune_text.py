"""What ``itune tune`` prints."""

import shlex
from collections.abc import Iterator

from itune.auditing.quick_verdict import verdict_sentence
from itune.commands.text import printable, table
from itune.results import CIDEvaluation, RunResult, SplitAccuracy
from itune.utils.formats import MISSING, method_title, signed


def to_text(run: RunResult) -> str:
    """Return a finished run as text for a terminal."""
    blocks = [
        f"{run.data}: {method_title(run.method)} from {run.encoder}, seed {run.seed}, "
        f"{run.minutes:.1f} min",
        _accuracies(run.accuracies),
        "\n".join([_cid(run), *_best_checkpoint(run)]),
        "\n".join(f"note: {note}" for note in run.notes),
        printable(verdict_sentence(run)),
        _next(run),
    ]
    return "\n\n".join(filter(None, blocks))


def _accuracies(splits: dict[str, SplitAccuracy]) -> str:
    rows = {
        "rows": lambda split: MISSING if split.size is None else str(split.size),
        "accuracy": lambda split: _fixed(split.accuracy),
        "group-balanced accuracy": lambda split: _fixed(split.balanced),
        "worst group": _worst,
    }
    body = [[name, *map(of, splits.values())] for name, of in rows.items()]
    return table(["", *splits], body)


def _fixed(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3f}"


def _worst(split: SplitAccuracy) -> str:
    worst = split.worst
    return MISSING if worst is None else f"{_fixed(worst.accuracy)} {worst.name}"


def _cid(run: RunResult) -> str:
    before = "" if run.cid_before is None else f"{_evaluation(run.cid_before)} → "
    return f"CID: {before}{_evaluation(run.final_cid)}"


def _evaluation(found: CIDEvaluation) -> str:
    cid = MISSING if found.cid is None else signed(found.cid)
    error = "" if found.standard_error is None else f" ± {found.standard_error:.3f}"
    return f"{cid}{error} ({found.note}, step {found.step})"


def _best_checkpoint(run: RunResult) -> Iterator[str]:
    best = run.best_checkpoint
    if best is not None:
        yield (
            f"best checkpoint: {best.note}, step {best.step}, with the best {run.criterion} on "
            f"dev, {_fixed(best.value)}"
        )


def _next(run: RunResult) -> str:
    return "\n".join(
        [
            f"model: {run.model}, for BertForSequenceClassification.from_pretrained",
            f"next: itune audit {shlex.quote(str(run.model))} tells what it still leans on, on the "
            "same table; itune compare, whether another method does better",
        ]
    )

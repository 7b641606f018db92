"""What ``itune tune`` prints."""

import shlex
from collections.abc import Iterable

from itune.commands.text import table
from itune.tuning import Moment, SplitAccuracy, Tuned
from itune.utils.formats import method_title


def to_text(tuned: Tuned) -> str:
    """A finished run as a person reads it in a terminal."""
    blocks = [
        f"{tuned.data}: {method_title(tuned.method)} from {tuned.encoder}, seed {tuned.seed}, "
        f"{tuned.minutes:.1f} min",
        _accuracies(tuned.accuracies),
        "\n".join([_cid(tuned), *_selected(tuned)]),
        *(["\n".join(f"note: {note}" for note in tuned.notes)] if tuned.notes else []),
        _next(tuned),
    ]
    return "\n\n".join(blocks)


def _accuracies(splits: dict[str, SplitAccuracy]) -> str:
    rows = {
        "rows": lambda split: str(split.size),
        "accuracy": lambda split: fixed(split.accuracy),
        "group-balanced accuracy": lambda split: fixed(split.balanced),
        "worst group": _worst,
    }
    body = [[name, *map(of, splits.values())] for name, of in rows.items()]
    return table(["", *splits], body)


def fixed(value: float | None) -> str:
    """A fraction to three digits."""
    return "–" if value is None else f"{value:.3f}"


def _worst(split: SplitAccuracy) -> str:
    worst = split.worst
    return "–" if worst is None else f"{fixed(worst.accuracy)} {worst.name}"


def _cid(tuned: Tuned) -> str:
    before = "" if tuned.before is None else f"{_moment(tuned.before)} → "
    return f"CID: {before}{_moment(tuned.after)}"


def _moment(moment: Moment) -> str:
    error = "" if moment.standard_error is None else f" ± {moment.standard_error:.3f}"
    return f"{moment.cid:+.3f}{error} ({moment.note}, step {moment.step})"


def _selected(tuned: Tuned) -> Iterable[str]:
    chosen = tuned.selected
    if chosen is not None:
        yield (
            f"selected: {chosen.note}, step {chosen.step}, with the best {tuned.criterion} on dev, "
            f"{fixed(chosen.value)}"
        )


def _next(tuned: Tuned) -> str:
    model = shlex.quote(str(tuned.model))
    return "\n".join(
        [
            f"model: {tuned.model}, for BertForSequenceClassification.from_pretrained",
            f"next: itune audit {model} tells what it still leans on, on the same table; itune "
            "compare, whether another method does better",
        ]
    )

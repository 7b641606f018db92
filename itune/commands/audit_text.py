"""An audit as a person reads it in a terminal: the verdict, then the numbers."""

import textwrap
from collections.abc import Iterator

from itune.auditing.behaviour import Behaviour
from itune.auditing.counterfactual import CounterfactualTest
from itune.auditing.explanations import Explanation, InfluentialRow, TrainingRow
from itune.auditing.model import ModelAudit
from itune.auditing.reasons import rows_with_partners
from itune.commands.text import excerpt, most, printable, table
from itune.groups import GroupNames
from itune.utils.formats import signed

LINE = 100
"""Characters of a line of prose."""

FLIPS = 3
"""Changed texts that are shown."""


def to_text(found: ModelAudit) -> str:
    """All that an audit found: verdict first, and its headline last, where a terminal ends."""
    names = GroupNames(found.label_names, found.confound_names)
    blocks = [
        _verdict(found),
        "\n".join(map(_wrapped, found.notes)),
        _cid(found, names),
        _accuracy(found, names),
        _calibration(found),
        _probe(found, names),
        _flips(found.counterfactual, names),
        *(_reading(explanation, found, names) for explanation in found.explanations),
        "\n".join(_remarks(found)),
        _wrapped(found.verdict.headline),
    ]
    return "\n\n".join(filter(None, blocks))


def _verdict(found: ModelAudit) -> str:
    reasons = (_wrapped(reason, "  ", "- ") for reason in found.verdict.reasons)
    return "\n".join([_wrapped(found.verdict.headline), "", *reasons])


def _cid(found: ModelAudit, names: GroupNames) -> str:
    test, whole = found.audit.test, found.audit.influence
    rows = [[f"a sample of {test.size} rows", signed(test.cid), _range(test, signed), test.p]]
    if whole is not None:
        rows.append([rows_with_partners(found.audit, "rows"), signed(whole.cid), "", ""])
        for label, cid in whole.by_label.items():
            rows.append([f"label {names.labels[label]}", signed(cid), "", ""])
        rows += _pairs(found, names)
    return table(["CID of", "", "95 % interval", "p"], rows)


def _pairs(found: ModelAudit, names: GroupNames) -> list[list]:
    """Pairs of confounds, where a label has more than one pair."""
    pairs = sorted(found.audit.influence.pairs, key=lambda pair: -pair.cid)
    if len(pairs) <= len({pair.label for pair in pairs}):
        return []
    return most(
        [
            [
                f"{names.labels[pair.label]}: {names.confound(pair.first)} and "
                f"{names.confound(pair.second)}",
                signed(pair.cid),
                "",
                "",
            ]
            for pair in pairs
        ][:12]
    )


def _accuracy(found: ModelAudit, names: GroupNames) -> str:
    header = ["accuracy", "label", "confound", "rows", "right", "95 % interval"]
    rows = []
    for name, of in found.audit.behaviour.items():
        rows.append([name, "", "", of.size, _percent(of.accuracy.overall), _ends(of.interval)])
        rows += most(_groups(of, names))
    return table(header, rows)


def _groups(of: Behaviour, names: GroupNames) -> list[list]:
    return [
        [
            "  worst" if group == of.accuracy.worst else "",
            names.labels[group.label],
            names.confound(group.confound),
            of.sizes[group],
            _percent(share),
            _ends(of.intervals[group]),
        ]
        for group, share in of.accuracy.by_group.items()
    ]


def _calibration(found: ModelAudit) -> str:
    rows = [
        [name, of.calibration_error, of.brier, of.entropy]
        for name, of in found.audit.behaviour.items()
    ]
    return table(["calibration", "expected error", "Brier score", "cross entropy"], rows)


def _probe(found: ModelAudit, names: GroupNames) -> str:
    probe = found.audit.probe
    if probe is None:
        return ""
    rows = [[names.labels[label], _percent(share)] for label, share in probe.by_label.items()]
    rows.append(["by chance", _percent(probe.chance)])
    return table(["confound read off the pooled vector", "right"], rows)


def _flips(counterfactual: CounterfactualTest | None, names: GroupNames) -> str:
    if counterfactual is None:
        return ""
    rows = [
        [
            names.confound(move.confound_before),
            names.confound(move.confound_after),
            names.labels[move.predicted_before],
            names.labels[move.predicted_after],
            move.count,
        ]
        for move in counterfactual.swaps
    ]
    header = [f"in {counterfactual.split}: from", "to", "predicted before", "after", "texts"]
    examples = [
        line
        for flip in counterfactual.examples[:FLIPS]
        for line in (
            f"  predicted {names.labels[flip.predicted_before]}: {excerpt(flip.before)}",
            f"    but {names.labels[flip.predicted_after]}: {excerpt(flip.after)}",
        )
    ]
    return "\n".join([table(header, most(rows)), *map(printable, examples)])


def _reading(explanation: Explanation, found: ModelAudit, names: GroupNames) -> str:
    chance = explanation.probabilities[explanation.predicted]
    lines = [
        f"{found.numbered(explanation.index)}: {_marked(explanation, found)}",
        f"  {_of(explanation, names)}, predicted {names.labels[explanation.predicted]} "
        f"({chance:.1%})",
        *_rows("helped", explanation.helpful, found, names),
        *_rows("hurt", explanation.harmful, found, names),
    ]
    return "\n".join(map(printable, lines))


def _rows(what, rows: tuple[InfluentialRow, ...], found, names) -> Iterator[str]:
    for row in rows:
        yield (
            f"  {what:6}  {signed(row.influence)}  row {row.index + 1}: {_marked(row, found)}  "
            f"({_of(row, names)})"
        )


def _of(row: TrainingRow, names: GroupNames) -> str:
    return f"label {names.labels[row.label]}, confound {names.confound(row.confound)}"


def _marked(row: TrainingRow, found: ModelAudit) -> str:
    """The text, or both, with the confound in brackets."""
    texts = (
        excerpt(text, row.spans if place == found.rule_on else ())
        for place, text in enumerate(row.texts)
    )
    return " | ".join(texts)


def _remarks(found: ModelAudit) -> Iterator[str]:
    """How many rows the numbers are of, where it is not all."""
    train = found.sizes["train"]
    if found.explanations and found.searched < train:
        yield _wrapped(
            f"sentences that helped or hurt were looked for among {found.searched} of {train} "
            "training rows, drawn at random"
        )
    for name, of in found.audit.behaviour.items():
        if of.size < of.total:
            yield _wrapped(
                f"{name}: {of.size} of {of.total} rows were predicted, drawn by group, and are "
                "weighed as in the whole"
            )


def _wrapped(text: str, indent: str = "", first: str = "") -> str:
    return textwrap.fill(printable(text), LINE, initial_indent=first, subsequent_indent=indent)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _ends(interval: tuple[float, float]) -> str:
    return " to ".join(map(_percent, interval))


def _range(test, show) -> str:
    return f"{show(test.low)} to {show(test.high)}"

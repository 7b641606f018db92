"""An audit as a person reads it in a terminal: the verdict, then the numbers."""

import textwrap
from collections.abc import Iterator, Sequence

from itune.auditing import (
    Behaviour,
    CounterfactualTest,
    Explanation,
    InfluentialRow,
    ModelAudit,
    PairCID,
    TrainingRow,
)
from itune.auditing.reasons import rows_with_partners
from itune.commands.text import ROWS, excerpt, most, printable, table
from itune.groups import GroupNames
from itune.utils.formats import percent, signed
from itune.utils.table_files import Row

LINE = 100
"""Characters of a line of prose."""

CHANGED = 3
"""The most changed texts that are shown."""


def to_text(found: ModelAudit) -> str:
    """Return an audit as text for a terminal; its headline stands at the start and at the end."""
    names = GroupNames(found.label_names, found.confound_names)
    blocks = [
        _verdict(found),
        "\n".join(map(_wrapped, found.notes)),
        _cid(found, names),
        _accuracy(found, names),
        _calibration(found),
        _probe(found, names),
        _counterfactual(found.counterfactual, names),
        *(_explanation(explanation, found, names) for explanation in found.explanations),
        "\n".join(_remarks(found)),
        _wrapped(found.verdict.headline),
    ]
    return "\n\n".join(filter(None, blocks))


def _verdict(found: ModelAudit) -> str:
    reasons = (_wrapped(reason, "  ", "- ") for reason in found.verdict.reasons)
    return "\n".join([_wrapped(found.verdict.headline), "", *reasons])


def _cid(found: ModelAudit, names: GroupNames) -> str:
    test, whole = found.audit.test, found.audit.influence
    interval = f"{signed(test.low)} to {signed(test.high)}"
    rows: list[Row] = [(f"a sample of {test.size} rows", signed(test.cid), interval, test.p)]
    if whole is not None:
        rows.append((rows_with_partners(found.audit, "rows"), signed(whole.cid), "", ""))
        for label, cid in whole.by_label.items():
            rows.append((f"label {names.labels[label]}", signed(cid), "", ""))
        rows += _pairs(whole.pairs, names)
    return table(["CID of", "", "95 % interval", "p"], rows)


def _pairs(pairs: Sequence[PairCID], names: GroupNames) -> Iterator[Row]:
    """Yield the pairs of confounds furthest apart, if a label has more than one pair."""
    if len(pairs) > len({pair.label for pair in pairs}):
        for pair in sorted(pairs, key=lambda pair: -pair.cid)[:ROWS]:
            confounds = f"{names.confound(pair.first)} and {names.confound(pair.second)}"
            yield f"{names.labels[pair.label]}: {confounds}", signed(pair.cid), "", ""


def _accuracy(found: ModelAudit, names: GroupNames) -> str:
    header = ["accuracy", "label", "confound", "rows", "right", "95 % interval"]
    rows = []
    for name, of in found.audit.behaviour.items():
        rows.append([name, "", "", of.size, percent(of.accuracy.overall), _ends(of.interval)])
        rows += most(_groups(of, names))
    return table(header, rows)


def _groups(of: Behaviour, names: GroupNames) -> list[Row]:
    return [
        [
            "  worst" if group == of.accuracy.worst else "",
            names.labels[group.label],
            names.confound(group.confound),
            of.sizes[group],
            percent(share),
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
    rows = [[names.labels[label], percent(share)] for label, share in probe.by_label.items()]
    rows.append(["by chance", percent(probe.chance)])
    return table(["confound read off the pooled vector", "right"], rows)


def _counterfactual(counterfactual: CounterfactualTest | None, names: GroupNames) -> str:
    if counterfactual is None:
        return ""
    rows = [
        [
            names.confound(swap.confound_before),
            names.confound(swap.confound_after),
            names.labels[swap.predicted_before],
            names.labels[swap.predicted_after],
            swap.count,
        ]
        for swap in counterfactual.swaps
    ]
    header = [f"in {counterfactual.split}: from", "to", "predicted before", "after", "texts"]
    examples = [
        line
        for change in counterfactual.examples[:CHANGED]
        for line in (
            f"  predicted {names.labels[change.predicted_before]}: {excerpt(change.before)}",
            f"    but {names.labels[change.predicted_after]}: {excerpt(change.after)}",
        )
    ]
    return "\n".join([table(header, most(rows)), *map(printable, examples)])


def _explanation(explanation: Explanation, found: ModelAudit, names: GroupNames) -> str:
    chance = explanation.probabilities[explanation.predicted]
    lines = [
        f"{found.numbered(explanation.index)}: {_marked(explanation, found)}",
        f"  {_of(explanation, names)}, predicted {names.labels[explanation.predicted]} "
        f"({chance:.1%})",
        *_rows("helped", explanation.helpful, found, names),
        *_rows("hurt", explanation.harmful, found, names),
    ]
    return "\n".join(map(printable, lines))


def _rows(
    what: str, rows: tuple[InfluentialRow, ...], found: ModelAudit, names: GroupNames
) -> Iterator[str]:
    for row in rows:
        yield (
            f"  {what:6}  {signed(row.influence)}  row {row.index + 1}: {_marked(row, found)}  "
            f"({_of(row, names)})"
        )


def _of(row: TrainingRow, names: GroupNames) -> str:
    return f"label {names.labels[row.label]}, confound {names.confound(row.confound)}"


def _marked(row: TrainingRow, found: ModelAudit) -> str:
    """Return the text, or both texts, with the confound in brackets."""
    texts = (
        excerpt(text, row.spans if place == found.rule_on else ())
        for place, text in enumerate(row.texts)
    )
    return " | ".join(texts)


def _remarks(found: ModelAudit) -> Iterator[str]:
    """Yield how many rows the numbers describe, where that is not all rows."""
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


def _ends(interval: tuple[float, float]) -> str:
    return " to ".join(map(percent, interval))

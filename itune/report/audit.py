"""The page of an audit."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from itune.auditing import ModelAudit, PairCID
from itune.auditing.behaviour import Behaviour
from itune.auditing.reasons import rows_with_partners
from itune.groups import Group, GroupNames
from itune.plots import influence_plot
from itune.plots.influences import Influences, influences_by_label
from itune.report.accuracies import group_name, group_table
from itune.report.blocks import (
    ALARM,
    CALM,
    MOST,
    OPEN,
    Answer,
    Block,
    Facts,
    Figure,
    Page,
    Paragraph,
    Section,
    Table,
    Tile,
    Tiles,
)
from itune.report.origin import FOOTER, Origin, origin_sections
from itune.report.sentences import counterfactual_blocks, explanation_blocks
from itune.report.terms import terms
from itune.tables.splits import SPLITS
from itune.utils.formats import duration, p_value, percent, signed
from itune.utils.visible import isolated

PANELS = 6
"""Labels whose influences are drawn, those of the largest share; of others the number is told."""

SECTIONS = (
    "What influences what",
    "Accuracy by group",
    "When the confound is swapped",
    "What the model learnt from",
)
"""Titles of the sections that have results."""

TONES = {"leans": ALARM, "no_sign": CALM, "inconclusive": OPEN}


def audit_page(found: ModelAudit, origin: Origin | None = None) -> Page:
    """Return the page of an audit.

    Args:
      found: The audit.
      origin: How the audit was made; None leaves that section out.
    """
    names = GroupNames(
        *(tuple(map(isolated, of)) for of in (found.label_names, found.confound_names))
    )
    parts = (_influence, _behaviour, counterfactual_blocks, explanation_blocks)
    sections = {
        title: tuple(part(found, names)) for title, part in zip(SECTIONS, parts, strict=True)
    }
    words = Facts(terms("influence", "confound", "CID", "group", "interval"))
    sections["Words used here"] = (words,)
    groups = found.audit.groups
    sizes = ", ".join(f"{size:,} {name}" for name, size in found.sizes.items())
    return Page(
        title=f"Audit of {'/'.join(Path(found.model).parts[-2:])}",
        subtitle=(
            f"{sizes} examples; {len({group.label for group in groups})} labels, "
            f"{len({group.confound for group in groups})} confounds"
        ),
        lead=(
            Answer(TONES[found.verdict.kind], found.verdict.headline, found.verdict.reasons),
            *(Paragraph(f"Note: {note}.") for note in found.notes),
            Tiles(tuple(_tiles(found, names))),
        ),
        sections=(
            *(Section(title, blocks) for title, blocks in sections.items() if blocks),
            *origin_sections(origin),
        ),
        footer=FOOTER,
    )


def audit_numbers(found: ModelAudit) -> dict[str, Any]:
    """Return the numbers of an audit for JSON, without the matrix of influences.

    In its place stands what the figure shows of each label: the spread of influences between
    examples with one confound, and between examples with different confounds.

    Args:
      found: The audit.
    """
    shown = {
        found.label_names[label]: dict(
            zip(("same", "different"), influences.spreads(), strict=True)
        )
        for label, influences in _influences_by_label(found).items()
    }
    audit = {**vars(found.audit), "matrix": None}
    return {**vars(found), "audit": audit, "influences": shown}


def _influences_by_label(found: ModelAudit) -> dict[int, Influences]:
    audit = found.audit
    return influences_by_label(audit.matrix, audit.label, audit.confound, audit.share)


def _tiles(found: ModelAudit, names: GroupNames) -> Iterator[Tile]:
    test, probe, counterfactual = found.audit.test, found.audit.probe, found.counterfactual
    sure = f"{signed(test.low)} to {signed(test.high)}, p {p_value(test.p)}"
    if whole := found.audit.influence:
        sample = f"in a sample {signed(test.cid)}, {sure}"
        what = rows_with_partners(found.audit, "training examples", ",")
        yield Tile(signed(whole.cid), f"CID of {what}", sample)
    else:
        yield Tile(signed(test.cid), f"CID of {test.size:,} training examples", sure)
    split, behaviour = _judged(found)
    worst = behaviour.accuracy.worst
    if worst is not None:
        yield Tile(
            f"{behaviour.accuracy.by_group[worst]:.3f}",
            f"accuracy of the worst group of {split}",
            f"{_name(names, worst)}; overall {behaviour.accuracy.overall:.3f}",
        )
    if counterfactual and counterfactual.size:
        yield Tile(
            percent(counterfactual.share),
            "predictions that change with the confound",
            f"{percent(counterfactual.low)} to {percent(counterfactual.high)}, of "
            f"{counterfactual.size:,}",
        )
    if probe:
        yield Tile(
            f"{probe.balanced_accuracy:.3f}",
            "accuracy of telling the confound from the pooled vector",
            f"guessing comes to {probe.chance:.3f}",
        )


def _influence(found: ModelAudit, names: GroupNames) -> Iterator[Block]:
    audit, test = found.audit, found.audit.test
    yield influence_figure(_influences_by_label(found), names)
    yield Paragraph(
        f"In a sample of {test.size:,} training examples CID is {signed(test.cid)}, and with 95 % "
        f"confidence between {signed(test.low)} and {signed(test.high)} ({test.draws:,} draws). "
        "If the model did not tell confounds apart, a CID as far from 0 would come up with "
        f"probability {p_value(test.p)}."
    )
    if audit.influence or audit.probe:
        yield _label_table(found, names)
    if not audit.influence:
        yield Paragraph(
            "CID of all training examples was left out; it is estimated to take "
            f"{duration(audit.minutes_of_whole)}."
        )
    elif len(audit.influence.pairs) > len(audit.influence.by_label):
        yield _pair_table(audit.influence.pairs, names)


def influence_figure(by_label: Mapping[int, Influences], names: GroupNames) -> Figure:
    """Return the figure of influences, a panel for each of the largest labels."""
    largest = sorted(sorted(by_label, key=lambda y: -by_label[y].share)[:PANELS])
    plot = influence_plot({f"label {names.labels[y]}": by_label[y] for y in largest})
    figure = Figure.of(plot)
    left_out = len(by_label) - len(largest)
    if not left_out:
        return figure
    return figure._replace(caption=f"{figure.caption} {left_out} smaller labels are not drawn.")


def _label_table(found: ModelAudit, names: GroupNames) -> Table:
    """CID and linear probe of each label."""
    whole, probe = found.audit.influence, found.audit.probe
    columns, note = {}, ""
    if whole:
        columns["CID"] = {None: whole.cid, **whole.by_label}
        note = (
            f"CID is of {rows_with_partners(found.audit, 'training examples', ',')}; its standard "
            f"error is {whole.standard_error:.3f}, over probes. "
        )
    columns = {head: {y: signed(v) for y, v in of.items()} for head, of in columns.items()}
    if probe:
        told = {None: probe.balanced_accuracy, **probe.by_label}
        columns["confound told"] = {y: f"{value:.3f}" for y, value in told.items()}
        note += (
            "Confound told: balanced accuracy of a linear probe that reads the confound off the "
            f"pooled vector; guessing comes to {probe.chance:.3f}. That it can be told is no proof "
            "that predictions use it; that it cannot is a sign that they do not."
        )
    labels = [None, *sorted({y for of in columns.values() for y in of if y is not None})]
    rows = (
        ("all" if y is None else names.labels[y], *(of.get(y) for of in columns.values()))
        for y in labels
    )
    return Table("By label", ("label", *columns), tuple(rows), note)


def _pair_table(pairs: Sequence[PairCID], names: GroupNames) -> Table:
    known = [pair for pair in pairs if not math.isnan(pair.cid)]
    known.sort(key=lambda pair: -pair.cid)
    rows = (
        (
            names.labels[pair.label],
            f"{names.confound(pair.first)} and {names.confound(pair.second)}",
            signed(pair.cid),
            " + ".join(f"{size:,}" for size in pair.sizes),
        )
        for pair in known
    )
    header = ("label", "confounds", "CID", "rows")
    return Table("How far apart two confounds of one label are", header, tuple(rows)).first(MOST)


def _behaviour(found: ModelAudit, names: GroupNames) -> Iterator[Block]:
    split, behaviour = _judged(found)
    rows = [
        (_name(names, group), accuracy, behaviour.sizes[group])
        for group, accuracy in behaviour.accuracy.by_group.items()
    ]
    worst_group = behaviour.accuracy.worst
    worst_name = None if worst_group is None else _name(names, worst_group)
    yield group_table(f"Accuracy on {split}", rows, worst_name)

    def row(name: str, of: Behaviour) -> tuple[str | None, ...]:
        worst = of.accuracy.worst
        return (
            name,
            f"{of.accuracy.overall:.3f}",
            None if worst is None else f"{of.accuracy.by_group[worst]:.3f}",
            None if worst is None else _name(names, worst),
            f"{of.calibration_error:.3f}",
            f"{of.brier:.3f}",
            f"{of.size:,}" if of.size == of.total else f"{of.size:,} of {of.total:,}",
        )

    drawn = ""
    if any(of.size < of.total for of in found.audit.behaviour.values()):
        drawn = " Rows that are not all were drawn by group, and are weighed as in the whole."
    yield Table(
        "All data",
        ("data", "accuracy", "worst group", "which", "calibration error", "Brier", "rows"),
        tuple(row(*item) for item in found.audit.behaviour.items()),
        "Calibration error: how far confidence and accuracy are apart, in the mean. Brier: squared "
        f"distance of the probabilities from the truth, 0 to 2.{drawn}",
    )


def _name(names: GroupNames, group: Group) -> str:
    return group_name(names.labels[group.label], names.confound(group.confound))


def _judged(found: ModelAudit) -> tuple[str, Behaviour]:
    """The data to judge by: test if it was looked at, else dev, else train."""
    split = next(name for name in reversed(SPLITS) if name in found.audit.behaviour)
    return split, found.audit.behaviour[split]

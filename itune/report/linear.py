"""The page of an audit of a number."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from itune.auditing import LinearAudit
from itune.report.blocks import (
    ALARM,
    CALM,
    OPEN,
    Answer,
    Facts,
    Page,
    Paragraph,
    Section,
    Table,
    Tile,
    Tiles,
)
from itune.report.origin import FOOTER, Origin, origin_sections
from itune.report.terms import terms
from itune.tables.splits import SPLITS
from itune.utils.formats import MISSING, p_value, percent, signed
from itune.utils.visible import isolated

BY_LABEL = "By label"
SECTIONS = (BY_LABEL,)
"""Titles of the sections that a terminal shows."""

_TONES = {"leans": ALARM, "no_sign": CALM, "inconclusive": OPEN}


def linear_page(found: LinearAudit, origin: Origin | None = None) -> Page:
    """Return the page of an audit of a number.

    Args:
      found: The audit.
      origin: How the audit was made; None leaves that section out.
    """
    test, number = found.test, isolated(found.number)
    sizes = ", ".join(f"{size:,} {name}" for name, size in found.sizes.items())
    sure = f"{signed(test.low)} to {signed(test.high)}, p {p_value(test.p)}"
    if found.cid is None:
        tile = Tile(signed(test.cid), f"CID of {test.size:,} training examples", sure)
    else:
        sample = f"in a sample {signed(test.cid)}, {sure}"
        tile = Tile(signed(found.cid), "CID of all training examples", sample)
    cid = (
        "CID of a number",
        "Half the squared distance of the mean unit gradients of training examples of one label "
        "whose number is one standard deviation above the mean and one below, on a straight line. "
        "It is the confound influence difference of two equally large groups if the number has two "
        "values; 0 where influence does not fall as numbers differ.",
    )
    return Page(
        title=f"Audit of {'/'.join(Path(found.model).parts[-2:])}: {number}",
        subtitle=f"{sizes} examples with a number; {len(found.label_names)} labels",
        lead=(
            Answer(_TONES[found.verdict.kind], found.verdict.headline, found.verdict.reasons),
            *(Paragraph(f"Note: {note}.") for note in found.notes),
            Tiles((tile,)),
        ),
        sections=(
            Section(BY_LABEL, (_table(found),)),
            Section("Words used here", (Facts((cid, *terms("influence", "interval"))),)),
            *origin_sections(origin),
        ),
        footer=FOOTER,
    )


def _table(found: LinearAudit) -> Table:
    """CID of each label, and how errors go with the number in the split to judge by."""
    split = next(name for name in reversed(SPLITS) if name in found.sizes and found.sizes[name])

    def rows() -> Iterator[tuple[Any, ...]]:
        for one in found.errors:
            if one.split == split:
                cid = found.by_label.get(one.label)
                yield (
                    found.label_names[one.label],
                    MISSING if cid is None else signed(cid),
                    one.size,
                    percent(one.error),
                    signed(one.correlation),
                    MISSING if one.low != one.low else f"{signed(one.low)} to {signed(one.high)}",
                )

    header = ("label", "CID", f"rows of {split}", "wrong", "errors with number", "interval")
    note = (
        "CID is of all training examples of a label. Errors with number: correlation of a wrong "
        f"prediction with {isolated(found.number)}, on {split}; below 0 where small numbers err "
        "more. report.json has all splits."
    )
    return Table(f"{isolated(found.number)} by label", header, tuple(rows()), note)


def linear_numbers(found: LinearAudit) -> dict[str, Any]:
    """Return the numbers of an audit of a number for JSON.

    Args:
      found: The audit.
    """
    by_label = {found.label_names[label]: cid for label, cid in found.by_label.items()}
    return {**vars(found), "by_label": by_label, "errors": found.to_rows()}

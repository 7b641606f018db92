"""The page of a search for what a model leans on."""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from itune.auditing.significance import CIDTest
from itune.config.command_line import option_words
from itune.discovery import Discovery, Finding
from itune.discovery.confirmation import Counterfactual
from itune.discovery.findings import settings_of
from itune.plots.findings import Mark, findings_plot
from itune.report.blocks import (
    ALARM,
    CALM,
    OPEN,
    Answer,
    Block,
    Code,
    Facts,
    Figure,
    Page,
    Paragraph,
    Section,
    Sentence,
    SentenceList,
    Sentences,
    Table,
)
from itune.report.origin import FOOTER, Origin, origin_sections
from itune.report.terms import terms
from itune.report.text import pieces
from itune.utils.formats import MISSING, p_value, percent, signed
from itune.utils.shell import join
from itune.utils.table_files import to_csv
from itune.utils.visible import isolated

LABELS = 6
"""Labels that a table has columns for, at most."""

TOLD = 3
"""Findings that are told in sentences, with example rows."""

CANDIDATES, NEXT = "Candidates", "What to type next"
SECTIONS = (CANDIDATES, NEXT)
"""Titles of the sections that a terminal shows."""


def discover_page(found: Discovery, origin: Origin | None = None) -> Page:
    """Return the page of a search for what a model leans on.

    Args:
      found: The search.
      origin: How it was made; None leaves that section out.
    """
    sections = {
        CANDIDATES: tuple(_candidates(found)),
        "Rows that have them": tuple(_examples(found)),
        NEXT: tuple(_commands(found)),
        "Words used here": (Facts((*_TERMS, *terms("influence", "interval"))),),
    }
    return Page(
        title=f"What {'/'.join(Path(found.model).parts[-2:])} leans on",
        subtitle=(
            f"{found.candidates:,} candidates; found by {found.screened:,} training rows, tested "
            f"on {found.confirming:,} others; errors on {found.judged:,} rows of {found.judged_on}"
        ),
        lead=(_answer(found), *(Paragraph(f"Note: {note}.") for note in found.notes)),
        sections=(
            *(Section(title, blocks) for title, blocks in sections.items() if blocks),
            *origin_sections(origin),
        ),
        footer=FOOTER,
    )


def discover_numbers(found: Discovery) -> dict[str, Any]:
    """Return the numbers of a search for JSON.

    Args:
      found: The search.
    """
    numbers = {name: value for name, value in vars(found).items() if name != "every"}
    return {**numbers, "findings": found.to_rows()}


def candidates_csv(found: Discovery) -> str:
    """Return all candidates that were screened as CSV, with options that make each a confound.

    Args:
      found: The search.
    """
    rows = found.candidates_to_rows()
    settings = [row.pop("settings") for row in rows]
    options = [join(word for of in one.items() for word in option_words(*of)) for one in settings]
    cells = [[*row.values(), words] for row, words in zip(rows, options, strict=True)]
    return to_csv([*rows[0], "options"] if rows else [], cells)


_TERMS = (
    ("candidate", "Something that some rows have and others lack: a word, a length, a column."),
    (
        "CID",
        "Here the confound influence difference of having the candidate: the mean influence of "
        "training examples of the same label that have it, or lack it, like the example itself, "
        "minus that of the others. 0 where the model does not tell them apart.",
    ),
    (
        "used",
        "CID is above 0 on rows that the candidate was not found by, by its interval and by a "
        "permutation test that is corrected for the number of candidates (Holm).",
    ),
    (
        "errors against it",
        "Share of wrong predictions among rows that have the candidate and another label than the "
        "one it speaks for, next to all other rows. The gap is the difference, in points.",
    ),
    (
        "worst group",
        "Least accuracy of the groups of label and candidate, among the rows that errors are of.",
    ),
    (
        "deleted",
        "Share of predictions that change when it is deleted from the text; a table says how many "
        "leave the label that it speaks for, and for which.",
    ),
    (
        "swapped",
        "The same when a counterpart takes its place: of words the one that stands among the most "
        "similar neighbours and speaks for another label. – where there is none.",
    ),
    (
        "association",
        "z statistic of the label among the rows that have it: what the data say, whatever a model "
        "does.",
    ),
)


def _answer(found: Discovery) -> Answer:
    harmful = [one for one in found.findings if found.harms(one)]
    caution = (
        "CID says what the training signal is organised by, not whether that is right: words that "
        "are meant to count have one as well. Name those in core, and judge the others by the rows "
        "below."
    )
    if found.is_constant:
        return Answer(
            OPEN,
            "The model predicts one label for every row, so nothing moves its predictions.",
            (
                f"Of the {found.judged:,} rows of {found.judged_on} others have other labels. Its "
                "gradients differ all the same, and candidates may be used below that no "
                "prediction goes by: train the model further before this is read.",
            ),
        )
    if harmful:
        names = ", ".join(isolated(one.feature.name) for one in harmful[:TOLD])
        more = f", and {len(harmful) - TOLD} more" if len(harmful) > TOLD else ""
        headline = f"The model leans on {names}{more}, and errs where they mislead."
        reasons = (_sentence(one, found) for one in harmful[:TOLD])
        return Answer(ALARM, headline, (*reasons, caution))
    if found.confirmed:
        names = ", ".join(isolated(one.feature.name) for one in found.confirmed[:TOLD])
        headline = f"The model uses {names}, but does not clearly err more where they mislead."
        reasons = (_sentence(one, found) for one in found.confirmed[:TOLD])
        return Answer(OPEN, headline, (*reasons, caution))
    return Answer(
        CALM,
        "No candidate is confirmed.",
        (
            f"Of {found.candidates:,} candidates the strongest {len(found.findings)} were tested "
            "on rows that they were not found by, and none has a CID that is clearly above 0.",
            "What no candidate stands for, and what few rows have, is not seen.",
        ),
    )


def _sentence(one: Finding, found: Discovery) -> str:
    label = isolated(found.label_names[one.usual])
    parts = [
        f"{isolated(one.feature.name)} speaks for {label} ({percent(one.rate, 0)} of "
        f"{one.count:,} rows) and has a CID of {_cid(one)}"
    ]
    if one.exact:
        parts.append(
            f"by exact influences of {one.exact.size:,} rows {_tested(one.exact, one.exact_p)}"
        )
    errors = one.errors
    if errors.size:
        parts.append(
            f"where the label is another, {percent(errors.error)} of {errors.size:,} predictions "
            f"are wrong, elsewhere {percent(errors.elsewhere)}"
        )
    if one.deletion:
        parts.append(f"deleted from {_change(one.deletion, one, found)}")
    if one.swap:
        name = isolated(one.feature.counterpart)
        parts.append(f"swapped for {name} in {_change(one.swap, one, found)}")
    return "; ".join(parts) + "."


def _change(change: Counterfactual, one: Finding, found: Discovery) -> str:
    label = isolated(found.label_names[one.usual])
    words = f"{change.size:,} texts it changes {change.changed:,} predictions"
    if not change.changed:
        return words
    to = isolated(found.label_names[int(np.argmax(change.towards))])
    return f"{words}, {change.away:,} of them from {label} and {max(change.towards):,} to {to}"


def _cid(one: Finding) -> str:
    return MISSING if one.test is None else _tested(one.test, one.p)


def _tested(test: CIDTest, p: float) -> str:
    return f"{signed(test.cid)} ({_interval(test)}, p {p_value(p)})"


def _interval(test: CIDTest) -> str:
    return f"{signed(test.low)} to {signed(test.high)}"


def _candidates(found: Discovery) -> Iterator[Block]:
    plot = findings_plot(
        [
            Mark(
                isolated(one.feature.name),
                one.test.cid if one.test else math.nan,
                one.errors.gap,
                one.count,
                "harmful" if found.harms(one) else "used" if one.is_confirmed else "unconfirmed",
            )
            for one in found.findings
        ]
    )
    if plot is not None:
        yield Figure.of(plot)
    header = (
        *("candidate", "rows", "speaks for", "used", "CID", "interval", "p"),
        *("errors against it", "elsewhere", "gap", "worst group"),
        *("deleted", "swapped", "association"),
    )
    yield Table(
        "Candidates, the most harmful of those that are used first",
        header,
        tuple(_row(one, found) for one in found.findings),
        "Association is of the data alone. report.json has the other names of the same rows.",
        is_sortable=True,
    )
    if found.confirmed:
        yield from _exactly(found)
        yield _by_label(found)
        yield from _changes(found)


def _exactly(found: Discovery) -> Iterator[Table]:
    """Yield a table of CID by exact influences, unless none was measured."""
    rows = [
        (
            one.feature.name,
            one.exact.size,
            signed(one.exact.cid),
            _interval(one.exact),
            p_value(one.exact_p),
            signed(one.test.cid) if one.test else MISSING,
        )
        for one in found.confirmed
        if one.exact
    ]
    if rows:
        yield Table(
            "CID by exact influences, of those that are used",
            ("candidate", "rows", "CID", "interval", "p", "by sketches"),
            tuple(rows),
            "Of a sample of the rows that they were tested on, equally many of each group. p is "
            "corrected for the number of these candidates (Holm), that of the test by sketches for "
            "all that were tested.",
        )


def _by_label(found: Discovery) -> Table:
    """Return the CID of each label, or of those where it is largest if there are many."""
    values = np.array([one.by_label for one in found.confirmed])
    largest = np.argsort(-np.where(np.isnan(values), -np.inf, values).max(axis=0), kind="stable")
    labels = np.sort(largest[:LABELS]).tolist()
    note = (
        f"On all {found.confirming:,} rows that they were tested on; the CID above is of a sample. "
        "– where fewer than two rows of a label have it, or lack it."
    )
    if values.shape[1] > LABELS:
        note = f"{note} The {LABELS} labels where it is largest; report.json has all."
    return Table(
        "CID by label, of those that are used",
        ("candidate", *(found.label_names[y] for y in labels)),
        tuple(
            (one.feature.name, *(signed(one.by_label[y]) for y in labels))
            for one in found.confirmed
        ),
        note,
    )


def _changes(found: Discovery) -> Iterator[Table]:
    """Yield a table of where predictions go when those that are used are deleted or swapped."""
    rows = [
        (
            one.feature.name,
            what,
            f"{change.changed:,} of {change.size:,}",
            f"{percent(change.low)} to {percent(change.high)}",
            f"{change.away:,} of {change.changed:,}" if change.changed else MISSING,
            _towards(change, found) or MISSING,
        )
        for one in found.confirmed
        for what, change in (
            ("deleted", one.deletion),
            (f"swapped for {one.feature.counterpart}", one.swap),
        )
        if change
    ]
    if rows:
        header = ("candidate", "is", "predictions that change", "interval", "from its label", "to")
        yield Table("Predictions without those that are used", header, tuple(rows), "")


def _towards(change: Counterfactual, found: Discovery) -> str:
    """Return the labels that most predictions change to, with their numbers."""
    most = sorted(enumerate(change.towards), key=lambda of: -of[1])[:TOLD]
    return ", ".join(f"{found.label_names[y]} {count:,}" for y, count in most if count)


def _row(one: Finding, found: Discovery) -> tuple[Any, ...]:
    errors = one.errors
    used = "core" if one.is_core else "yes" if one.is_confirmed else "not confirmed"
    return (
        one.feature.name,
        one.count,
        f"{found.label_names[one.usual]} ({percent(one.rate, 0)})",
        used,
        signed(one.test.cid) if one.test else MISSING,
        _interval(one.test) if one.test else MISSING,
        p_value(one.p) if one.test else MISSING,
        f"{percent(errors.error)} of {errors.size:,}" if errors.size else MISSING,
        percent(errors.elsewhere),
        signed(100 * errors.gap, 1) if errors.size else MISSING,
        percent(errors.worst_group),
        _share(one.deletion),
        _share(one.swap),
        round(one.association, 1),
    )


def _share(change: Counterfactual | None) -> str:
    return f"{percent(change.share)} of {change.size:,}" if change else MISSING


def _examples(found: Discovery) -> Iterator[Block]:
    for one in found.confirmed[:TOLD]:
        sentences = tuple(
            Sentence(
                (pieces(text, one.feature.spans(text)),),
                (f"training row {row + 1}", f"label {found.label_names[label]}"),
            )
            for row, text, label in one.examples
        )
        against = all(label != one.usual for _, _, label in one.examples)
        what = "Rows with another label" if against else "Rows that have it"
        yield Sentences(
            f"{isolated(one.feature.name)} speaks for {isolated(found.label_names[one.usual])}",
            None,
            (SentenceList(what, sentences),),
        )


def _commands(found: Discovery) -> Iterator[Block]:
    lines = []
    for number, group in enumerate(found.groups, 1):
        lines += next_commands(found, settings_of(group), number)
        if len(group) > 1:
            names = ", ".join(isolated(one.feature.name) for one in group)
            yield Paragraph(
                f"{names} stand in one another's place, so that they are one confound of several "
                "values: a model that is tuned against one alone may go by the others."
            )
    if lines:
        yield Paragraph("These audit what the model uses, and tune against it:")
        yield Code("\n".join(lines))


def next_commands(found: Discovery, settings: Mapping[str, str], number: int) -> Iterator[str]:
    """Yield what audits a confound and tunes against it: commands, or Python if the rows were."""
    table = found.table
    if table is not None and None in table.values():
        values = {name: value for name, value in {**table, **settings}.items() if name != "train"}
        named = [f"{name}={name if text is None else repr(text)}" for name, text in values.items()]
        rows = ", ".join(["data" if table["train"] is None else repr(table["train"]), *named])
        more = f", settings={{'encoder': {found.encoder!r}}}" if found.encoder else ""
        yield f"itune.audit({found.model!r}, {rows})"
        yield f"itune.tune({rows}, out='tuned-{number}'{more})"
        return
    source = {} if table is None else dict(table)
    place = [source.pop("train")] if source else []
    words = [word for of in {**source, **settings}.items() for word in option_words(*of)]
    audited = ["--out", f"audited-{number}"]
    yield join(["itune", "audit", found.model, *place, *words, *audited])
    if place:
        encoder = option_words("encoder", found.encoder) if found.encoder else []
        yield join(["itune", "tune", *place, *words, *encoder, "--out", f"tuned-{number}"])

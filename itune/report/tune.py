"""The page of a tuned classifier."""

from collections.abc import Iterable, Iterator

from itune.report.accuracies import GroupRow, group_name, group_table
from itune.report.blocks import (
    ALARM,
    PLAIN,
    Answer,
    Block,
    Facts,
    Page,
    Paragraph,
    Section,
    Table,
    Tile,
    Tiles,
)
from itune.report.cid import cid_figure
from itune.report.course import course_figure
from itune.report.origin import FOOTER, Origin, origin_section
from itune.report.terms import terms
from itune.tables.splits import SPLITS
from itune.training.run_folder import decisive
from itune.tuning import GroupAccuracy, SplitAccuracy, Tuned
from itune.utils.formats import duration, method_title, signed


def tune_page(found: Tuned, origin: Origin) -> Page:
    """The page of a tuned classifier.

    Args:
      found: what the run came to.
      origin: how it was made.
    """
    figures = (
        cid_figure({method_title(found.method): [found.course]}),
        course_figure(found.dev_course, found.selected),
    )
    sections = {
        "Over training": tuple(filter(None, figures)),
        "Accuracy by group": tuple(_accuracies(found)),
        "Words used here": (Facts(terms("CID", "influence", "confound", "group", "round")),),
        "All settings": (settings_table([found]),),
    }
    labels, confounds = len(found.label_names), len(found.confound_names)
    return Page(
        title=f"{method_title(found.method).capitalize()} of {found.encoder} on {found.data}",
        subtitle=(
            f"{found.accuracies['train'].size:,} training examples, of which the confounds of "
            f"{found.visible:,} were seen; {labels} labels, {confounds} confounds"
        ),
        lead=(_answer(found), Tiles(tuple(_tiles(found)))),
        sections=(
            *(Section(title, blocks) for title, blocks in sections.items() if blocks),
            origin_section(origin),
        ),
        footer=FOOTER,
    )


def _rows(split: SplitAccuracy) -> list[GroupRow]:
    return [GroupRow(_name(group), group.accuracy, group.size) for group in split.groups]


def settings_table(runs: Iterable[Tuned]) -> Table:
    """What decided runs of one configuration, whose methods may differ."""
    found = {}
    for run in runs:
        found |= decisive(run.config, run.method)
    rows = tuple((name, str(value)) for name, value in found.items())
    return Table("What decided the result, beside seeds", ("setting", "value"), rows)


def _answer(found: Tuned) -> Answer:
    """What came out; a collapse before anything else."""
    split, judged = _judged(found)
    before = found.before
    was = f" ({signed(before.cid)} {before.note})" if before else ""
    reasons = [f"CID is {signed(found.after.cid)}{was}."]
    if judged.worst:
        reasons.append(
            f"Of {split}, {judged.accuracy:.1%} are classified rightly, and "
            f"{judged.worst.accuracy:.1%} in the worst group, {_name(judged.worst)}."
        )
    reasons += [f"{note[:1].upper()}{note[1:]}." for note in found.notes]
    reasons.append(
        "This is one run: another seed moves these numbers. itune audit tells how sure CID is, and "
        "itune compare sets methods side by side."
    )
    if found.has_collapsed:
        return Answer(ALARM, "The run has collapsed: it is no better than chance.", tuple(reasons))
    first = reasons.pop(0)
    return Answer(PLAIN, f"After {method_title(found.method)}, {first}", tuple(reasons))


def _tiles(found: Tuned) -> Iterator[Tile]:
    split, judged = _judged(found)
    error = found.after.standard_error
    sure = "" if error is None else f"standard error {error:.3f} over probes"
    yield Tile(signed(found.after.cid), "CID of the model", sure)
    yield Tile(f"{judged.accuracy:.3f}", f"accuracy on {split}", f"{judged.size:,} examples")
    if judged.worst:
        name = _name(judged.worst)
        yield Tile(f"{judged.worst.accuracy:.3f}", f"accuracy of the worst group of {split}", name)
    yield Tile(duration(found.minutes), "of training")


def _accuracies(found: Tuned) -> Iterator[Block]:
    split, judged = _judged(found)
    if judged.groups:
        yield group_table(f"Accuracy on {split}", _rows(judged), _name(judged.worst))
    yield Table(
        "All data",
        ("data", "accuracy", "group-balanced accuracy", "worst group", "which", "rows"),
        tuple(
            (
                name,
                f"{of.accuracy:.3f}",
                None if of.balanced is None else f"{of.balanced:.3f}",
                of.worst and f"{of.worst.accuracy:.3f}",
                of.worst and _name(of.worst),
                f"{of.size:,}",
            )
            for name, of in found.accuracies.items()
        ),
    )
    if found.selected:
        yield Paragraph(
            f"The model is from step {found.selected.step} ({found.selected.note}): of all moments "
            f"measured on dev it had the best {found.criterion}, {found.selected.value:.3f}."
        )


def _judged(found: Tuned) -> tuple[str, SplitAccuracy]:
    """The data to judge by: test if there is any, else dev, else train."""
    known = found.accuracies
    return next((name, known[name]) for name in reversed(SPLITS) if name in known)


def _name(group: GroupAccuracy) -> str:
    return group_name(group.label, group.confound)

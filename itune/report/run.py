"""The page of one run."""

from collections.abc import Iterable, Iterator

from itune.auditing.quick_verdict import run_verdict
from itune.plots import cid_plot
from itune.plots.dev import dev_plot
from itune.report.accuracies import group_name, group_table
from itune.report.audit import TONES
from itune.report.blocks import (
    ALARM,
    Answer,
    Block,
    Facts,
    Figure,
    Page,
    Paragraph,
    Table,
    Tile,
    Tiles,
)
from itune.report.origin import Origin, make_page
from itune.report.terms import terms
from itune.results import GroupAccuracy, RunResult
from itune.training.run_folder import decisive
from itune.utils.formats import MISSING, duration, method_title, percent, signed


def run_page(run: RunResult, origin: Origin | None = None) -> Page:
    """Return the page of a finished run.

    Args:
      run: Record of the run.
      origin: How the run was made; None leaves that section out.
    """
    sections = {
        "Over training": _over_training(run),
        "Accuracy by group": _accuracies(run),
        "Words used here": [Facts(terms("CID", "influence", "confound", "group", "round"))],
        "All settings": [settings_table([run])],
    }
    title = f"{method_title(run.method).capitalize()} of {run.encoder} on {run.data}"
    lead = [_answer(run), Tiles(tuple(_tiles(run)))]
    return make_page(title, _subtitle(run), lead, sections, origin)


def settings_table(runs: Iterable[RunResult]) -> Table:
    """Return a table of the settings that decided runs of one configuration by any methods."""
    settings = {}
    for run in runs:
        settings |= decisive(run.config, run.method)
    rows = tuple((name, str(value)) for name, value in settings.items())
    return Table("What decided the result, beside seeds", ("setting", "value"), rows)


def _subtitle(run: RunResult) -> str:
    size, visible = run.accuracies["train"].size, run.confounds_visible
    parts = [] if size is None else [f"{size:,} training examples"]
    if visible is not None:
        parts.append(f"the confounds of {visible:,} training examples were visible")
    if run.label_names:
        parts.append(f"{len(run.label_names)} labels, {len(run.confound_names)} confounds")
    return "; ".join([*parts, f"seed {run.seed}"])


def _answer(run: RunResult) -> Answer:
    verdict = run_verdict(run, _name)
    reasons = [
        *verdict.reasons,
        *(f"{note[:1].upper()}{note[1:]}." for note in run.notes),
        "This is one run, judged by what it measured: another seed moves these numbers. itune "
        "audit looks more closely, and itune compare sets methods side by side.",
    ]
    tone = ALARM if run.has_collapsed else TONES[verdict.kind]
    return Answer(tone, verdict.headline, tuple(reasons))


def _tiles(run: RunResult) -> Iterator[Tile]:
    name, split = run.judged()
    error = run.final_cid.standard_error
    yield Tile(
        MISSING if run.cid is None else signed(run.cid),
        "CID of the model",
        "" if error is None else f"standard error {error:.3f} over probes",
    )
    size = "" if split.size is None else f"{split.size:,} examples"
    yield Tile(f"{split.accuracy:.3f}", f"accuracy on {name}", size)
    if split.worst:
        yield Tile(
            f"{split.worst.accuracy:.3f}",
            f"accuracy of the worst group of {name}",
            _name(split.worst),
        )
    if run.swapped:
        yield Tile(
            percent(run.swapped.share),
            "of predictions change when the confound is swapped",
            f"{run.swapped.size:,} texts of {run.swapped.split}",
        )
    yield Tile(duration(run.minutes), "of training")


def _over_training(run: RunResult) -> Iterator[Block]:
    plots = (
        cid_plot({run.data: {run.method: [run.cid_history]}}),
        dev_plot(run.dev_history, run.best_checkpoint),
    )
    yield from (Figure.of(plot) for plot in plots if plot)


def _accuracies(run: RunResult) -> Iterator[Block]:
    judged, split = run.judged()
    if split.worst:
        yield group_table(
            f"Accuracy on {judged}",
            [(_name(group), group.accuracy, group.size) for group in split.groups],
            _name(split.worst),
        )
    yield _splits_table(run)
    best = run.best_checkpoint
    if best:
        yield Paragraph(
            f"The model is from step {best.step} ({best.note}): of all evaluations on dev it had "
            f"the best {run.criterion}, {best.value:.3f}."
        )


def _splits_table(run: RunResult) -> Table:
    return Table(
        "All data",
        ("data", "accuracy", "group-balanced accuracy", "worst group", "which", "rows"),
        tuple(
            (
                name,
                f"{split.accuracy:.3f}",
                None if split.balanced is None else f"{split.balanced:.3f}",
                None if split.worst is None else f"{split.worst.accuracy:.3f}",
                None if split.worst is None else _name(split.worst),
                None if split.size is None else f"{split.size:,}",
            )
            for name, split in run.accuracies.items()
        ),
    )


def _name(group: GroupAccuracy) -> str:
    return group_name(group.label, group.confound)

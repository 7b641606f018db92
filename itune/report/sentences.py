"""Helpful and harmful training sentences, and sentences whose confound was swapped."""

from collections import Counter
from collections.abc import Iterator, Sequence

from itune.auditing import Explanation, InfluentialRow, ModelAudit, SwapCount, TrainingRow
from itune.groups import HIDDEN, GroupNames
from itune.metrics.proportions import wilson
from itune.report.accuracies import INTERVALS
from itune.report.blocks import (
    MOST,
    Bar,
    Block,
    Paragraph,
    Sentence,
    SentenceList,
    Sentences,
    Table,
)
from itune.report.text import LIMIT, Piece, changes, pieces
from itune.utils.formats import percent

SHOWN = 4
"""The most swapped sentences that are shown."""


def explanation_blocks(found: ModelAudit, names: GroupNames) -> Iterator[Block]:
    """Yield the explanations: each probe with the training examples that helped and hurt it."""
    if not found.explanations:
        return
    among = f" of {found.searched:,} training examples" if found.searched else ""
    if 0 < found.searched < found.sizes["train"]:
        among += " drawn at random"
    yield Paragraph(
        f"Some training examples, and those{among} that pulled the model most towards what it "
        "should say of them (helped), or away from it (hurt). The confound is highlighted where a "
        "rule found it in the text. Where examples help because they share the confound, and not "
        "because they are alike in what matters, the model goes by the confound."
    )
    for explanation in found.explanations:
        groups = (("Helped most", explanation.helpful), ("Hurt most", explanation.harmful))
        yield Sentences(
            _headed(found.numbered(explanation.index)),
            Sentence(
                _texts(explanation, found),
                (*_facts(explanation, names), _prediction(explanation, names)),
            ),
            tuple(
                _sentence_list(head, rows, explanation, found, names)
                for head, rows in groups
                if rows
            ),
        )


def counterfactual_blocks(found: ModelAudit, names: GroupNames) -> Iterator[Block]:
    """Yield what the counterfactual test found; nothing if there was none."""
    counterfactual = found.counterfactual
    if not counterfactual:
        return
    if counterfactual.size:
        yield Paragraph(
            f"In {counterfactual.size:,} texts of {counterfactual.split} the confound was swapped "
            "for another, and nothing else was changed. "
            f"{counterfactual.changed:,} of them got another prediction: "
            f"{percent(counterfactual.share)}, and with 95 % confidence "
            f"{percent(counterfactual.low)} to {percent(counterfactual.high)}."
        )
    for note in counterfactual.notes:
        yield Paragraph(note)
    if counterfactual.swaps:
        yield _swap_table(counterfactual.swaps, names)
    for flip in counterfactual.examples[:SHOWN]:
        before, after = changes(flip.before, flip.after)
        yield Sentences(
            _headed(found.numbered(flip.index, counterfactual.split)),
            None,
            (
                _version("As it stands", flip.before, before, names.labels[flip.predicted_before]),
                _version("Swapped", flip.after, after, names.labels[flip.predicted_after]),
            ),
        )


def _headed(words: str) -> str:
    return words[:1].upper() + words[1:]


def _prediction(explanation: Explanation, names: GroupNames) -> str:
    right = "correctly" if explanation.predicted == explanation.label else "wrongly"
    chance = explanation.probabilities[explanation.predicted]
    return f"{right} predicted {names.labels[explanation.predicted]} with probability {chance:.2f}"


def _sentence_list(
    heading: str,
    rows: Sequence[InfluentialRow],
    explanation: Explanation,
    found: ModelAudit,
    names: GroupNames,
) -> SentenceList:
    alike = sum(row.confound == explanation.confound for row in rows)
    if explanation.confound != HIDDEN:
        heading += f" ({alike} of {len(rows)} with its confound)"
    sentences = (
        Sentence(
            _texts(row, found), (found.numbered(row.index), *_facts(row, names)), row.influence
        )
        for row in rows
    )
    return SentenceList(heading, tuple(sentences))


def _texts(row: TrainingRow, found: ModelAudit) -> tuple[tuple[Piece, ...], ...]:
    """The pieces of each text, the confound marked in the one that the rule looks at."""
    return tuple(
        pieces(text, row.spans if place == found.rule_on else ())
        for place, text in enumerate(row.texts)
    )


def _facts(row: TrainingRow, names: GroupNames) -> tuple[str, ...]:
    longest = max(map(len, row.texts))
    cut = (f"shortened from {longest:,} characters",) if longest > LIMIT else ()
    return f"label {names.labels[row.label]}", f"confound {names.confound(row.confound)}", *cut


def _version(
    heading: str, text: str, spans: Sequence[tuple[int, int]], predicted: str
) -> SentenceList:
    return SentenceList(f"{heading}: predicted {predicted}", (Sentence((pieces(text, spans),)),))


def _change(swap: SwapCount, names: GroupNames) -> str:
    before, after = names.labels[swap.predicted_before], names.labels[swap.predicted_after]
    return f"{before} to {after} ({swap.count:,})"


def _swap_table(swaps: Sequence[SwapCount], names: GroupNames) -> Table:
    sizes: Counter[tuple[int, int]] = Counter()
    for swap in swaps:
        sizes[swap.confound_before, swap.confound_after] += swap.count

    def row(before: int, after: int) -> tuple[str | Bar | None, ...]:
        changed = [
            swap
            for swap in swaps
            if (swap.confound_before, swap.confound_after) == (before, after)
            and swap.predicted_before != swap.predicted_after
        ]
        size = sizes[before, after]
        share = sum(swap.count for swap in changed) / size
        most = max(changed, key=lambda swap: swap.count, default=None)
        return (
            f"{names.confound(before)} to {names.confound(after)}",
            Bar(share, percent(share), *wilson(share * size, size)),
            f"{size:,}",
            None if most is None else _change(most, names),
        )

    header = ("confound swapped", "predictions changed", "texts", "most often from")
    return Table(
        "Predictions that change with the confound",
        header,
        tuple(row(*pair) for pair in sorted(sizes, key=lambda pair: (-sizes[pair], pair))),
        INTERVALS,
    ).first(MOST)

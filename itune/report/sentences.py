"""Training sentences that helped or hurt a prediction, and sentences whose confound was swapped."""

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
from itune.report.text import LIMIT, changes, pieces
from itune.utils.formats import percent

SHOWN = 4
"""Swapped sentences that are shown."""


def explanation_blocks(found: ModelAudit, names: GroupNames) -> Iterator[Block]:
    """Each probe with what helped and hurt it; nothing if there are no explanations."""
    if not found.explanations:
        return
    among = f" of {found.searched:,} training examples" if found.searched else ""
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
                _texts(explanation, found), (*_facts(explanation, names), _told(explanation, names))
            ),
            tuple(
                _sentence_list(head, rows, explanation, found, names)
                for head, rows in groups
                if rows
            ),
        )


def counterfactual_blocks(found: ModelAudit, names: GroupNames) -> Iterator[Block]:
    """What swapping the confound did; nothing if it was not swapped."""
    counterfactual = found.counterfactual
    if not counterfactual:
        return
    yield Paragraph(
        f"In {counterfactual.size:,} texts of {counterfactual.split} the confound was swapped for "
        f"another, and nothing else was changed. {counterfactual.changed:,} of them got another "
        f"prediction: {percent(counterfactual.share)}, and with 95 % confidence "
        f"{percent(counterfactual.low)} to {percent(counterfactual.high)}."
    )
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


def _told(explanation: Explanation, names: GroupNames) -> str:
    right = "rightly" if explanation.predicted == explanation.label else "wrongly"
    chance = explanation.probabilities[explanation.predicted]
    return f"{right} predicted {names.labels[explanation.predicted]} with probability {chance:.2f}"


def _sentence_list(
    heading: str, rows: Sequence[InfluentialRow], explanation: Explanation, found, names
) -> SentenceList:
    alike = sum(row.confound == explanation.confound for row in rows)
    if explanation.confound != HIDDEN:
        heading += f" ({alike} of {len(rows)} with its confound)"
    sentences = (Sentence(_texts(row, found), _facts(row, names), row.influence) for row in rows)
    return SentenceList(heading, tuple(sentences))


def _texts(row: TrainingRow, found: ModelAudit):
    """The pieces of each text, the confound marked in the one that the rule looks at."""
    return tuple(
        pieces(text, row.spans if place == found.rule_on else ())
        for place, text in enumerate(row.texts)
    )


def _facts(row: TrainingRow, names: GroupNames) -> tuple[str, ...]:
    longest = max(map(len, row.texts))
    cut = (f"shortened from {longest:,} characters",) if longest > LIMIT else ()
    return f"label {names.labels[row.label]}", f"confound {names.confound(row.confound)}", *cut


def _version(heading: str, text: str, spans, predicted: str) -> SentenceList:
    return SentenceList(f"{heading}: predicted {predicted}", (Sentence((pieces(text, spans),)),))


def _swap_table(moves: Sequence[SwapCount], names: GroupNames) -> Table:
    sizes = Counter()
    for move in moves:
        sizes[move[:2]] += move.count

    def row(swap):
        of_swap = [move for move in moves if move[:2] == swap]
        changed = [move for move in of_swap if move.predicted_before != move.predicted_after]
        size = sizes[swap]
        share = sum(move.count for move in changed) / size
        most = max(changed, key=lambda move: move.count, default=None)
        told = most and " to ".join(names.labels[y] for y in most[2:4]) + f" ({most.count:,})"
        return (
            " to ".join(map(names.confound, swap)),
            Bar(share, percent(share), *wilson(share * size, size)),
            f"{size:,}",
            told,
        )

    header = ("confound swapped", "predictions changed", "texts", "most often from")
    return Table(
        "Predictions that change with the confound",
        header,
        tuple(map(row, sorted(sizes, key=lambda swap: (-sizes[swap], swap)))),
        INTERVALS,
    ).first(MOST)

"""Training sentences that helped or hurt a prediction, and sentences whose confound was swapped."""

from collections import Counter
from collections.abc import Iterator, Sequence

from itune.audit import Influential, ModelAudit, Reading
from itune.audit.flips import Move
from itune.audit.proportions import wilson
from itune.audit.verdict import Names
from itune.data.cells import HIDDEN
from itune.report.accuracies import INTERVALS
from itune.report.blocks import MOST, Bar, Block, Group, Paragraph, Sentence, Sentences, Table
from itune.report.numbers import percent
from itune.report.text import LIMIT, changes, pieces

SHOWN = 4
"""Swapped sentences that are shown."""


def reading_blocks(found: ModelAudit, names: Names) -> Iterator[Block]:
    """Each probe with what helped and hurt it; nothing if there are no readings."""
    if not found.readings:
        return
    among = f" of {found.searched:,} training examples" if found.searched else ""
    yield Paragraph(
        f"Some training examples, and those{among} that pulled the model most towards what it "
        "should say of them (helped), or away from it (hurt). The confound is highlighted where a "
        "rule found it in the text. Where examples help because they share the confound, and not "
        "because they are alike in what matters, the model goes by the confound."
    )
    for reading in found.readings:
        groups = (("Helped most", reading.helpful), ("Hurt most", reading.harmful))
        yield Sentences(
            _headed(found.numbered(reading.index)),
            Sentence(_texts(reading, found), (*_facts(reading, names), _told(reading, names))),
            tuple(_group(head, rows, reading, found, names) for head, rows in groups if rows),
        )


def flip_blocks(found: ModelAudit, names: Names) -> Iterator[Block]:
    """What swapping the confound did; nothing if it was not swapped."""
    flips = found.flips
    if not flips:
        return
    yield Paragraph(
        f"In {flips.size:,} texts of {flips.split} the confound was swapped for another, and "
        f"nothing else was changed. {flips.changed:,} of them got another prediction: "
        f"{percent(flips.share)}, and with 95 % confidence {percent(flips.low)} to "
        f"{percent(flips.high)}."
    )
    if flips.moves:
        yield _swap_table(flips.moves, names)
    for flip in flips.examples[:SHOWN]:
        before, after = changes(flip.before, flip.after)
        yield Sentences(
            _headed(found.numbered(flip.index, flips.split)),
            None,
            (
                _version("As it stands", flip.before, before, names.labels[flip.predicted_before]),
                _version("Swapped", flip.after, after, names.labels[flip.predicted_after]),
            ),
        )


def _headed(words: str) -> str:
    return words[:1].upper() + words[1:]


def _told(reading: Reading, names: Names) -> str:
    right = "rightly" if reading.predicted == reading.label else "wrongly"
    chance = reading.probabilities[reading.predicted]
    return f"{right} predicted {names.labels[reading.predicted]} with probability {chance:.2f}"


def _group(heading: str, rows: Sequence[Influential], reading: Reading, found, names) -> Group:
    alike = sum(row.confound == reading.confound for row in rows)
    if reading.confound != HIDDEN:
        heading += f" ({alike} of {len(rows)} with its confound)"
    sentences = (Sentence(_texts(row, found), _facts(row, names), row.influence) for row in rows)
    return Group(heading, tuple(sentences))


def _texts(row: Reading | Influential, found: ModelAudit):
    """The pieces of each text, the confound marked in the one that the rule looks at."""
    return tuple(
        pieces(text, row.spans if place == found.rule_on else ())
        for place, text in enumerate(row.texts)
    )


def _facts(row: Reading | Influential, names: Names) -> tuple[str, ...]:
    longest = max(map(len, row.texts))
    cut = (f"shortened from {longest:,} characters",) if longest > LIMIT else ()
    return f"label {names.labels[row.label]}", f"confound {names.confound(row.confound)}", *cut


def _version(heading: str, text: str, spans, predicted: str) -> Group:
    return Group(f"{heading}: predicted {predicted}", (Sentence((pieces(text, spans),)),))


def _swap_table(moves: Sequence[Move], names: Names) -> Table:
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

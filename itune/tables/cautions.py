"""What to beware of in a table, one sentence each."""

from collections.abc import Iterable

import numpy as np
from scipy.special import chdtrc

from itune.errors import option
from itune.groups import Group, GroupNames
from itune.tables.description import Description, SplitDescription
from itune.tables.values import as_number

TINY = (2, 20)
"""A group with fewer rows than the first number has no partners; than the second, few."""

MANY = 20
"""With more labels or confounds than this, and few rows of each, the column may be a wrong one."""

MANY_DECIMALS = 5
"""Number of confounds above which those with decimals are measures rather than kinds."""

SHOWN = 3
"""Number of groups that a warning names; the others are only counted."""

ASSOCIATED, LEVEL = 0.1, 0.01
"""Cramér's V, and p value of its test in train, from which label and confound go together."""


def warnings_of(found: Description) -> Iterable[str]:
    """Yield what to beware of in a table, one sentence each."""
    train = found.splits["train"]
    yield from _value_warnings(found, train)
    yield from _number_warnings(found, train)
    yield from _group_warnings(found, train)
    yield from _test_warnings(found, train)
    yield from _skew_warnings(found, train)
    for name, split in found.splits.items():
        if split.contradictions:
            count = split.contradictions
            texts = "1 text stands" if count == 1 else f"{count} texts stand"
            yield f"{texts} in {name} with more than one label, of which one must be wrong"
        if split.duplicates:
            yield f"{split.duplicates} of {split.size} rows of {name} repeat an earlier one"
    for (first, second), count in found.shared.items():
        yield (
            f"{count} of {found.splits[second].size} rows of {second} stand in {first} as well; "
            f"remove them, or {second} tells too good a story"
        )
    if train.missing and train.missing < train.size:
        yield f"{train.missing} of {train.size} training rows have no confound"
    dev = found.splits["dev"]
    if train.missing < train.size and dev.missing == dev.size > 0:
        yield "no row of dev has a confound, so that models are selected by accuracy alone"


def _value_warnings(found: Description, train: SplitDescription) -> Iterable[str]:
    used = sum(size > 0 for size in train.labels)
    if used > max(MANY, train.size / 10):
        yield f"there are {used} labels for {train.size} training rows; is this the column of them?"
    for name in ("dev", "test"):
        for confound, size in enumerate(found.splits[name].confounds):
            if size and not train.confounds[confound]:
                yield f"confound {found.confound_names[confound]!r} is in {name}, but not in train"


def _number_warnings(found: Description, train: SplitDescription) -> Iterable[str]:
    """Warn of confounds that are so many that their groups are small, such as ages."""
    sizes = [size for size in train.confounds if size]
    names = [name for name, size in zip(found.confound_names, train.confounds, strict=True) if size]
    numbers = [number for name in names if (number := as_number(name)) is not None]
    has_decimals = any(number % 1 for number in numbers)
    are_numbers = len(numbers) == len(names)
    if are_numbers and len(set(numbers)) > (MANY_DECIMALS if has_decimals else MANY):
        edges = _quarters(np.repeat(np.array(numbers, float), sizes))
        yield (
            f"the confound has {len(names)} values, all of them numbers; cut them into a few by "
            f"bins, such as {option('bins', edges)}"
        )
        return
    small = sum(size < TINY[1] for size in train.groups.values())
    if len(names) > MANY and 2 * small > len(train.groups):
        yield (
            f"the confound has {len(names)} values, most with few rows of a label; is this its "
            "column? Give one with fewer, or a rule"
        )


def _quarters(values: np.ndarray) -> str:
    """Return three values that part the rows, or else the different values, in equal parts."""
    for numbers in (values, np.unique(values)):
        edges = np.quantile(numbers, (0.25, 0.5, 0.75), method="higher")
        texts = list(dict.fromkeys(f"{edge:.15g}" for edge in edges if edge > values.min()))
        if len(texts) == len(edges):
            break
    return ",".join(texts)


def _group_warnings(found: Description, train: SplitDescription) -> Iterable[str]:
    labels = [y for y, size in enumerate(train.labels) if size]
    confounds = [c for c, size in enumerate(train.confounds) if size]
    empty = len(labels) * len(confounds) - len(train.groups)
    if empty:
        missing = (
            group for y in labels for c in confounds if (group := Group(y, c)) not in train.groups
        )
        yield _about(missing, empty, "no training row", found)
    at_least = 1
    for bound in TINY:
        few = [group for group, size in train.groups.items() if at_least <= size < bound]
        if few:
            yield _about(few, len(few), f"fewer than {bound} training rows", found)
        at_least = bound


def _test_warnings(found: Description, train: SplitDescription) -> Iterable[str]:
    """Warn of groups of train whose accuracy dev and test can hardly tell."""
    for name in ("dev", "test"):
        split = found.splits[name]
        sizes = {group: split.groups.get(group, 0) for group in train.groups if split.groups}
        few = sorted(
            (group for group, size in sizes.items() if size < TINY[1]), key=sizes.__getitem__
        )
        if few:
            remedy = f"raise {name}_fraction" if split.is_part_of_train else "add rows"
            least = max(sizes[few[0]], 1)
            yield (
                f"{_about(few, len(few), f'fewer than {TINY[1]} {name} rows', found)}; an accuracy "
                f"over {least} {'row' if least == 1 else 'rows'} is uncertain by up to "
                f"{min(98 / least**0.5, 100):.0f} points, so {remedy}"
            )


def _skew_warnings(found: Description, train: SplitDescription) -> Iterable[str]:
    """Warn of splits whose overall accuracy rewards use of the confound."""
    strength, p = _association(train)
    skewed = [
        name
        for name in ("dev", "test")
        if strength >= ASSOCIATED and p < LEVEL
        if _association(found.splits[name])[0] >= strength / 2
    ]
    if skewed:
        values = " and ".join(f"{found.splits[name].cramers_v:.2f}" for name in skewed)
        matched = ",".join(name for name in skewed if _can_match(found.splits[name]))
        yield (
            f"in {' and '.join(skewed)} as in train the confound tells the label (Cramér's V "
            f"{values}, in train {train.cramers_v:.2f}): accuracy on it does not show whether a "
            "model leans; that of its groups does"
            + (f", and that of matched rows: set matched to {matched}" if matched else "")
        )


def _can_match(split: SplitDescription) -> bool:
    """Return whether two confounds occur with each label, as rows to be matched need."""
    labels = sum(size > 0 for size in split.labels)
    counts = np.bincount([group.confound for group in split.groups])
    return int(np.sum(counts == labels)) > 1


def _association(split: SplitDescription) -> tuple[float, float]:
    """Return Cramér's V corrected for few rows (Bergsma 2013), and the p value of its test."""
    rows, columns = (len({group[axis] for group in split.groups}) - 1 for axis in range(2))
    size = sum(split.groups.values())
    if split.cramers_v is None or size < 2:
        return 0.0, 1.0
    excess = split.cramers_v**2 * min(rows, columns)
    corrected = max(excess - rows * columns / (size - 1), 0.0) / min(rows, columns)
    return float(corrected**0.5), float(chdtrc(rows * columns, size * excess))


def _about(groups: Iterable[Group], count: int, what: str, found: Description) -> str:
    names = GroupNames(found.label_names, found.confound_names)
    named = [
        f"{names.labels[group.label]}/{names.confound(group.confound)}"
        for group, _ in zip(groups, range(SHOWN), strict=False)
    ]
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    command, noun = ("has", "group") if count == 1 else ("have", "groups")
    return f"{count} {noun} {command} {what}: {', '.join(named)}{more}"

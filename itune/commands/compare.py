"""``itune compare``: several methods on one table, and whether seeds tell them apart."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from itune.commands.training import TrainingCommand, parse_training
from itune.tables.table import read_tables


@dataclass(frozen=True)
class CompareCommand(TrainingCommand):
    """A table, and the ways in which classifiers are trained on it.

    Attributes:
      methods: the first is what the others are compared with; out of ``finetuning``,
        ``influence_tuning``, ``embedding_tuning``, ``adversarial``, ``balanced_sampling``,
        ``subsampling``, ``group_dro``, ``last_layer_retraining``, ``product_of_experts``,
        ``finetuning_without_dropout`` and ``finetuning_with_resets``.
      seeds: each method is run with each; two methods need 4 or more to be told apart.
    """

    methods: tuple[str, ...] = ("finetuning", "influence_tuning")
    seeds: tuple[int, ...] = (1, 2, 3, 4, 5)
    out: Path = Path("compared")


def main(argv: Sequence[str]) -> None:
    """Runs every method with every seed, prints a table and what it says, and writes it."""
    command, settings = parse_training(
        CompareCommand,
        argv,
        prog="itune compare",
        description="Train classifiers on a table by several methods, and compare them.",
    )

    from itune.commands.compare_text import to_text
    from itune.commands.output import require_free, write_results
    from itune.report import Origin, comparison_page
    from itune.tuning import compare
    from itune.utils.compiling import use_compilation_cache

    require_free(command.out, command.overwrite or command.resume)
    use_compilation_cache()
    compared = compare(
        read_tables(command.table),
        command.out,
        methods=command.methods,
        seeds=command.seeds,
        settings=settings,
        say=lambda sentence: print(sentence, file=sys.stderr, flush=True),
        **command.folder,
    )
    origin = Origin.of_runs(("itune", "compare", *argv), compared.runs)
    page = comparison_page(compared, origin)
    write_results(command.out, page, compared, origin, to_text(compared))

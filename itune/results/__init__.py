"""Results of finished runs: records, collections of them, comparisons, and tables."""

from itune.results import published
from itune.results.collection import (
    collect,
    load_trained,
    read_results,
    require_one_configuration,
)
from itune.results.comparison import Comparison, Difference, MethodResult, compare_runs
from itune.results.paper_tables import (
    ACCESS_HEADER,
    HERE,
    METHODS_HEADER,
    PAPER,
    access_rows,
    methods_rows,
)
from itune.results.run_result import (
    CIDEvaluation,
    DevEvaluation,
    GroupAccuracy,
    RunResult,
    SplitAccuracy,
    SwappedPredictions,
    read_result,
)
from itune.results.tables import read_comparison, results_table, write_comparison

__all__ = [
    "ACCESS_HEADER",
    "HERE",
    "METHODS_HEADER",
    "PAPER",
    "CIDEvaluation",
    "Comparison",
    "DevEvaluation",
    "Difference",
    "GroupAccuracy",
    "MethodResult",
    "RunResult",
    "SplitAccuracy",
    "SwappedPredictions",
    "access_rows",
    "collect",
    "compare_runs",
    "load_trained",
    "methods_rows",
    "published",
    "read_comparison",
    "read_result",
    "read_results",
    "require_one_configuration",
    "results_table",
    "write_comparison",
]

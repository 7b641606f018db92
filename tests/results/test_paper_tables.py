"""The rows of Tables 2 and 3."""

from itune.results import (
    ACCESS_HEADER,
    METHODS_HEADER,
    access_rows,
    compare_runs,
    methods_rows,
)
from itune.results.run_result import result_of_row
from tests.helpers.made_up_runs import make_row


def run(*arguments, **changes):
    return result_of_row(make_row(*arguments, **changes), "here", setting="textlen")


def runs(method, accuracies, **changes):
    return [run(method, seed, accuracy, **changes) for seed, accuracy in accuracies.items()]


FINETUNING = runs("finetuning", {1: 0.776, 2: 0.752, 3: 0.766, 4: 0.76, 5: 0.746})
TUNING = runs("influence_tuning", {1: 0.796, 2: 0.826, 3: 0.774, 4: 0.808, 5: 0.82})
SEEDS = (1, 2, 3, 4, 5)


def as_dicts(header, rows):
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_methods():
    tasks = {
        "textlen": compare_runs([*FINETUNING, *TUNING]),
        "msgs": compare_runs(runs("no_spurious", {2: 0.9}, collapsed=True)),
    }
    rows = as_dicts(METHODS_HEADER, methods_rows(tasks, SEEDS))
    finetuning, published_finetuning, tuning, published, lonely = rows
    assert [row["source"] for row in rows] == ["here", "paper", "here", "paper", "here"]
    assert finetuning["Student vs finetuning"] is None
    assert finetuning["accuracy of each seed"] == "77.6 75.2 76.6 76.0 74.6"
    same = ("accuracy of each seed", "mean", "sd", "Student vs finetuning")
    assert [tuning[key] for key in same] == [published[key] for key in same]
    assert (tuning["mean"], tuning["sd"], tuning["Student vs finetuning"]) == (
        *("80.48", "2.07", "0.003"),
    )
    assert tuning["permutation vs finetuning"] == published["permutation vs finetuning"] == "0.016"
    assert tuning["Welch vs finetuning"] == published["Welch vs finetuning"] == "0.005"
    assert tuning["Student vs adversarial"] is None  # there is none here, but one in the paper
    assert published["permutation vs adversarial"] == "0.143"
    assert (tuning["worst group"], tuning["collapsed"], tuning["minutes"]) == (
        "60.5",
        "0 of 5",
        "1.5",
    )
    assert abs(tuning["CID"] - (0.15 + 0.03)) < 1e-12 and published["CID"] == 0.035
    assert published["minutes"] == "160" and published["collapsed"] is None
    assert lonely["accuracy of each seed"] == "– 90.0 – – –"
    assert (lonely["mean"], lonely["sd"], lonely["collapsed"]) == ("90.00", None, "1 of 1")
    assert published_finetuning["Student vs adversarial"] == "0.026"  # and the other way round


def test_access():
    collapsed = runs("influence_tuning", {3: 0.5}, collapsed=True)
    told = runs("influence_tuning", {1: 0.8, 2: 0.82}, confounds={"visible": 750, "read": 701})
    rows = access_rows(
        {
            ("textlen", "influence_tuning", 50): told + collapsed,
            ("msgs", "embedding_tuning", 20): [],
            ("msgs", "embedding_tuning", 5): runs("embedding_tuning", {1: 0.5}, collapsed=True),
            ("msgs", "finetuning", 100): FINETUNING,
        }
    )
    assert len(ACCESS_HEADER) == 13
    assert rows[0] == (
        *("textlen", "influence tuning", "50 %", 750, 701),
        *("70.67", "17.93", 3, "81.00", "1.41", 2, "68.1", "80.13"),
    )
    assert rows[1][5:] == ("50.00", None, 1, None, None, 0, None, "84.90")
    assert rows[2][3:5] == (None, None) and rows[2][-2:] == (None, None)

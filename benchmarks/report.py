"""Print Markdown of what the benchmarks measured, and draw ``results/derivative.png``."""

import json
import sys
from pathlib import Path

from itune.cli import Parser, run_main
from itune.plots import STYLES
from itune.utils import to_markdown

RESULTS = Path(__file__).parent / "results"
COLUMNS = {
    "derivative": (
        *("model", "route", "k", "microbatch", "examples", "positions", "time_ratio"),
        *("predicted", "memory_ratio", "relative_error", "ordinary_seconds", "compile_seconds"),
    ),
    "cid": ("model", "examples", "probes", "time_ratio", "seconds", "ordinary_seconds"),
    "round": (
        *("model", "partners", "route", "round_seconds", "updates", "label_step_seconds"),
        "compile_seconds",
    ),
}


def main(argv: list[str]) -> None:
    """Print the tables and draw the plot."""
    Parser(prog="report.py", description=__doc__.split("\n\n")[0]).parse_args(argv)
    for path in sorted(RESULTS.glob("*.json")):
        columns = COLUMNS.get(path.stem)
        if columns is None:
            continue
        records = json.loads(path.read_text())
        print(f"{path.name}: {records[0]['machine']}, JAX {records[0]['jax']}\n")
        print(markdown(records, columns), end="\n\n")
    if (RESULTS / "derivative.json").exists():
        draw(json.loads((RESULTS / "derivative.json").read_text()), RESULTS / "derivative.png")


def markdown(records: list[dict], columns: tuple[str, ...]) -> str:
    """Return some columns of the records as a Markdown table."""
    heads = [name.replace("_", " ") for name in columns]
    return to_markdown(heads, [[record.get(name) for name in columns] for record in records])


def draw(records: list[dict], path: Path) -> None:
    """Draw time over that of an ordinary gradient against k, a panel for each model."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    models = list(dict.fromkeys(record["model"] for record in records))
    figure, panels = pyplot.subplots(
        1, len(models), figsize=(1 + 4.2 * len(models), 3.6), sharey=True, squeeze=False
    )
    for panel, model in zip(panels[0], models, strict=True):
        of_tuples = [
            r
            for r in records
            if r["model"] == model and r["k"] and "time_ratio" in r and "microbatch" not in r
        ]
        routes = list(dict.fromkeys(r["route"] for r in of_tuples))
        last = max(r["k"] for r in of_tuples)
        for route, (colour, marker, _) in zip(routes, STYLES, strict=False):
            rows = [r for r in of_tuples if r["route"] == route]
            k = [r["k"] for r in rows]
            panel.plot(k, [r["time_ratio"] for r in rows], "-", color=colour, marker=marker)
            panel.annotate(
                route,
                (k[-1], rows[-1]["time_ratio"]),
                (6, 0) if k[-1] == last else (6, 8),  # clear of lines that go on
                textcoords="offset points",
                color=colour,
                va="center",
            )
            if rows[0]["predicted"]:
                panel.plot(k, [r["predicted"] for r in rows], ":", color=colour, linewidth=1)
        panel.set(title=model, xlabel="k", yscale="log", xticks=sorted({r["k"] for r in of_tuples}))
        panel.set_yticks((2, 5, 10, 20, 50), ("2", "5", "10", "20", "50"))
        panel.minorticks_off()
        panel.set_xlim(0, 15)
    panels[0][0].set_ylabel("time / ordinary gradient\n(dotted: predicted)")
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)


if __name__ == "__main__":
    sys.exit(run_main(main))

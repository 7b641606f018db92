"""What is lost by dividing work: one device of all cores against several on the same cores.

Each row is a process, or several that work as one, of its own: label steps of 64 sentences, updates
of a round with pooled partners, and CID of all training examples, after a run that compiles. On the
virtual devices of a CPU nothing can be gained, so that what is lost is the cost of dividing.
"""

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness import (
    MINILM,
    Record,
    make_parser,
    make_problem,
    print_table,
    short_training,
    write_records,
)
from itune.cli import run_main
from itune.corpora import DataConfig, TextLenConfig
from itune.metrics import make_cid
from itune.training import run_task
from itune.utils import HardwareConfig, use_compilation_cache

LAYOUTS = ((1, 1), (2, 1), (4, 1), (1, 2), (1, 4), (2, 2))
"""Devices of each process, and processes."""

FEW, MANY = 2, 4
"""Epochs of a short run and of a long one, whose difference holds no compiling and no start."""

ROWS, REPEATS = 128, 2


def main(argv: list[str]) -> None:
    """Measure each layout in turn, print a table of ratios, and write the records."""
    parser = make_parser("devices.py", __doc__)
    parser.add_argument("--child", nargs=3, help="measure in this process: devices and hardware")
    options = parser.parse_args(argv)
    if options.child:
        devices, processes, hardware = options.child
        measure(int(devices), int(processes), HardwareConfig(**json.loads(hardware)))
        return
    records = [run_layout(*layout) for layout in LAYOUTS]
    for record in records:
        for name in ("label_step", "update", "cid"):
            record[f"{name}_ratio"] = record[f"{name}_seconds"] / records[0][f"{name}_seconds"]
    write_records(records, options.json)
    names = ("label_step", "update", "cid")
    columns = [f"{name}_{what}" for name in names for what in ("seconds", "ratio")]
    print_table(records, ("processes", "devices", *columns))


def run_layout(devices: int, processes: int) -> Record:
    """Start the processes of a layout, and return what the first of them measured."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    several = {"coordinator": address, "processes": processes}
    children = [
        subprocess.Popen(
            [
                *(sys.executable, __file__, "--child", str(devices), str(processes)),
                json.dumps(several | {"process": number} if processes > 1 else {}),
            ],
            env=os.environ | {"XLA_FLAGS": flags},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(processes)
    ]
    output = [child.communicate()[0] for child in children][0]
    return json.loads(output.splitlines()[-1])


def measure(devices: int, processes: int, hardware: HardwareConfig) -> None:
    """Print what this process measures, as a line of JSON."""
    use_compilation_cache()
    with tempfile.TemporaryDirectory() as scratch:
        out = hardware.begin(Path(scratch))
        step = seconds_of(lambda epochs: train("finetuning", epochs, out)) / (ROWS // 64)
        both = seconds_of(lambda epochs: train("influence_tuning", epochs, out))
    # A longer run has as many rounds more as epochs, of two updates each.
    update = (both - step * (ROWS // 64)) / 2
    problem = make_problem("minilm", DataConfig(textlen=TextLenConfig(train_size=ROWS)))
    cid = make_cid(problem.classifier.loss, problem.data, probes=np.arange(ROWS))
    cid(problem.params)
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        cid(problem.params)
        times.append(time.perf_counter() - started)
    record = {
        "model": "minilm",
        "devices": devices,
        "processes": processes,
        "label_step_seconds": step,
        "update_seconds": update,
        "cid_seconds": statistics.median(times),
    }
    print(json.dumps(record), flush=True)


def seconds_of(run: Callable[[int], float]) -> float:
    """Return the median seconds of an epoch that a longer run has more than a shorter one."""
    run(FEW), run(MANY)  # which compile
    return statistics.median((run(MANY) - run(FEW)) / (MANY - FEW) for _ in range(REPEATS))


def train(method: str, epochs: int, out: Path) -> float:
    """Train, and return the seconds that a run records."""
    config = short_training(MINILM, ROWS, epochs)
    folder = Path(tempfile.mkdtemp(dir=out))
    return run_task(config, method, 1, folder).result["seconds"]


if __name__ == "__main__":
    sys.exit(run_main(main))

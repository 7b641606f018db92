"""A small table, and how to write it in every format."""

import csv
import json

import pyarrow as pa
import pyarrow.parquet as pq

ROWS = [
    {
        "id": number,
        "text": f'No. {number}, "{word}"',
        "stars": 1 + (number % 3 > 0),
        "brand": (None, "acme", "umbrella", "acme")[number % 4],
    }
    for number, word in enumerate(["good", "bad", "naïve\nlines", "fine"] * 10)
]


def write_rows(path, rows):
    """Write rows to a file in the format of its name; return the path."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        with path.open("w", newline="", encoding="utf-8") as file:
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.DictWriter(file, rows[0], delimiter=delimiter)
            writer.writeheader()
            writer.writerows(rows)
    return path

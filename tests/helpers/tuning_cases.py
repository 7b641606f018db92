"""A small table of reviews, an encoder that knows its words, and settings that take seconds."""

from itune.models import save_classifier
from itune.tables.config import TableConfig
from itune.tables.table import read_tables
from tests.helpers.table_cases import write_rows
from tests.helpers.tiny_encoder import make_bert, write_tokenizer

BRANDS, LABELS = ("Acme", "Umbrella"), ("bad", "good")
WORDS = {"bad": ["poor", "awful"], "good": ["fine", "great"]}
COLUMNS = {"text": "review", "label": "stars", "confound": "brand"}

SETTINGS = {
    "label.epochs": 2,
    "label.batch": 8,
    "label.chunk": 4,
    "label.learning_rate": 1e-2,
    "influence.interval": 3,
    "influence.batch": 8,
    "influence.probes": 8,
    "influence.epochs": 1,
    "cid_probes": 6,
    "max_length": 8,
    "pad_to_multiple_of": 8,  # as audits pad: one shape for all
}


def make_rows(count=64, *, lone=False):
    """Return different reviews in which the brand agrees with the stars three times of four."""
    rows = []
    for number in range(count):
        label = LABELS[number % 2]
        brand = BRANDS[(number % 2) ^ (number // 2 % 4 == 0)]
        word = WORDS[label][number // 4 % 2]
        rows.append({"review": f"{brand} is {word} {number}", "stars": label, "brand": brand})
    for number in (9, 20):
        rows[number]["brand"] = ""
    return rows + lone * [{"review": "Zenith is fine", "stars": "good", "brand": "Zenith"}]


def make_tables(folder, rows=None, **more):
    """Return the tables of some rows, which are written to a file and read back."""
    path = write_rows(folder / "reviews.csv", rows or make_rows())
    return read_tables(TableConfig(str(path), **(COLUMNS | more)))


def make_encoder(folder, *, labels=None):
    """Write a BERT that knows the words of the reviews, with a head if it has labels."""
    words = {"is", "zenith", *map(str.lower, BRANDS), *sum(WORDS.values(), [])}
    source, vocabulary = write_tokenizer(folder, sorted(words))
    config, params = make_bert(vocabulary, positions=8, num_labels=len(labels or LABELS))
    target = folder / ("encoder" if labels is None else "finetuned")
    save_classifier(target, config, params, source, labels=labels)
    if labels is None:
        _without_head(target)
    return target


def _without_head(folder):
    from safetensors.numpy import load_file, save_file

    path = folder / "model.safetensors"
    tensors = {k: v for k, v in load_file(path).items() if not k.startswith("classifier.")}
    save_file(tensors, path)

"""The words of the paper's tasks reach the model whatever pieces a tokenizer makes of them."""

from functools import partial

import pytest

from itune.corpora import DataConfig, MsgsConfig, TextLenConfig
from itune.data import tokenize_table
from itune.models import load_tokenizer, resolve_encoder
from itune.tables import task_tables
from tests.helpers.family_encoder import write_family

MINILM = resolve_encoder("all-MiniLM-L6-v2")
TASKS = {
    "textlen": DataConfig(textlen=TextLenConfig(train_size=40, dev_size=4, test_size=4)),
    "msgs": DataConfig(task="msgs", msgs=MsgsConfig(train_size=40, dev_size=4, test_size=4)),
}


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("family", ["bert", "roberta", "xlm-roberta", "gpt2"])
def test_pieces_are_those_of_the_words(task, family, tmp_path):
    table = task_tables(TASKS[task]).train
    texts = [text for (batch,) in table.batches(100) for text in batch]
    made = (lambda: MINILM) if family == "bert" else partial(write_family, tmp_path, family, texts)
    tokenizer = load_tokenizer(made())
    dataset = tokenize_table(table, tokenizer, max_length=512)
    decoded = [tokenizer.decode(ids, skip_special_tokens=True) for ids in dataset.input_ids]
    assert [words_of(text) for text in decoded] == [words_of(text) for text in texts]
    if task == "textlen":  # its prefix is the first word
        assert {words_of(text)[: len("negative")] for text in decoded} >= {"negative", "positive"}


def words_of(text):
    """Return a text without case and blanks, which tokenizers of whole words lose."""
    return "".join(text.lower().split())

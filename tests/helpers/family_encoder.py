"""A fresh encoder of any family with one layer, and a tokenizer of the kind that the family has."""

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from itune.models import save_classifier
from itune.models.registry import ARCHITECTURES
from tests.helpers.family_models import params_of
from tests.helpers.tiny_encoder import write_tokenizer
from tests.models.make_golden_families import CASES

DECODERS = ("gpt2", "llama", "mistral", "qwen2", "qwen3")
PIECES = ("albert", "xlm-roberta", "camembert", "deberta-v2")
BYTES = ("roberta", "modernbert", *DECODERS)
ONE_LAYER = {"num_hidden_layers": 1, "n_layers": 1, "n_layer": 1}


def write_family(folder, name, texts):
    """Write an encoder without a head, whose tokenizer is made of some texts; return its folder."""
    if name in (*PIECES, *BYTES):
        source, vocab_size = _write_pieces(folder / "tokenizer", name, texts)
    else:
        words = sorted({word for text in texts for word in text.lower().split()})
        source, vocabulary = write_tokenizer(folder, words)
        vocab_size = len(vocabulary)
    about = {**CASES[name], **ONE_LAYER, "vocab_size": vocab_size}
    if name in DECODERS:  # as their folders are, without padding
        del about["pad_token_id"]
        about["eos_token_id"] = 0
    architecture = ARCHITECTURES[name]
    config = architecture.read_config(about, folder / "config.json")
    save_classifier(folder / "encoder", config, params_of(config), source, has_head=False)
    if name in DECODERS:
        (folder / "encoder" / "config.json").write_text(json.dumps({"model_type": name, **about}))
        path = folder / "encoder" / "tokenizer_config.json"
        told = json.loads(path.read_text())
        told.pop("pad_token", None)
        path.write_text(json.dumps(told))
    return folder / "encoder"


def _write_pieces(folder, name, texts):
    """Write a tokenizer of sentence pieces, or of bytes, without markers if it is GPT-2's."""
    from transformers import PreTrainedTokenizerFast

    end = "<|endoftext|>" if name in ("qwen2", "qwen3") else "</s>"
    if name in DECODERS:
        special = [end, "<s>", "<unk>"]
    elif name in ("albert", "deberta-v2", "modernbert"):
        special = ["<pad>", "<s>", end, "<unk>"]
    else:
        special = ["<s>", "<pad>", end, "<unk>"]
    if name in PIECES:
        tokenizer = Tokenizer(models.Unigram())
        tokenizer.pre_tokenizer, tokenizer.decoder = (
            pre_tokenizers.Metaspace(),
            decoders.Metaspace(),
        )
        trainer = trainers.UnigramTrainer(
            vocab_size=100, special_tokens=special, unk_token="<unk>", show_progress=False
        )
    else:
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=300,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    tokenizer.train_from_iterator(texts, trainer)
    ids = [(token, tokenizer.token_to_id(token)) for token in ("<s>", end)]
    if name not in DECODERS:
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=ids
        )
    elif name in ("llama", "mistral"):
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=ids
        )
    names = {"eos_token": end, "unk_token": "<unk>"}
    if name not in DECODERS:
        names["pad_token"] = "<pad>"
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(str(folder))
    return folder, tokenizer.get_vocab_size()

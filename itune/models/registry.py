"""Every architecture by the ``model_type`` of Hugging Face's configurations.

A new architecture is a file of its own beside this one, and a line in :data:`ARCHITECTURES`.
"""

from flax import linen as nn

from itune.models.albert import ALBERT
from itune.models.architecture import Architecture, ModelConfig
from itune.models.bert import BERT
from itune.models.deberta import DEBERTA
from itune.models.deberta_v2 import DEBERTA_V2
from itune.models.distilbert import DISTILBERT
from itune.models.electra import ELECTRA
from itune.models.gpt2 import GPT2
from itune.models.llama import LLAMA, MISTRAL, QWEN2, QWEN3
from itune.models.modernbert import MODERNBERT
from itune.models.mpnet import MPNET
from itune.models.roberta import CAMEMBERT, ROBERTA, XLM_ROBERTA

ARCHITECTURES: dict[str, Architecture] = {
    "bert": BERT,
    "roberta": ROBERTA,
    "xlm-roberta": XLM_ROBERTA,
    "camembert": CAMEMBERT,
    "distilbert": DISTILBERT,
    "electra": ELECTRA,
    "albert": ALBERT,
    "deberta": DEBERTA,
    "deberta-v2": DEBERTA_V2,
    "mpnet": MPNET,
    "modernbert": MODERNBERT,
    "gpt2": GPT2,
    "llama": LLAMA,
    "mistral": MISTRAL,
    "qwen2": QWEN2,
    "qwen3": QWEN3,
}


def architecture_of(config: ModelConfig) -> Architecture:
    """Return the architecture of a configuration."""
    return ARCHITECTURES[config.model_type]


def make_model(config: ModelConfig) -> nn.Module:
    """Return the classifier of a configuration, a Flax module without parameters."""
    return architecture_of(config).module(config)

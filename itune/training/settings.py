"""What decides the result of a run, beside its method and its seed."""

from dataclasses import dataclass, field

from itune.corpora.tasks import DataConfig
from itune.data.access import AccessConfig
from itune.data.dataset import BUCKET
from itune.errors import require
from itune.methods import (
    AdversarialConfig,
    EmbeddingConfig,
    ExpertsConfig,
    GroupDroConfig,
    InfluenceConfig,
    LabelConfig,
    LastLayerConfig,
)
from itune.training.best_checkpoint import LAST, SELECTIONS

KEPT, NEW = "kept", "new"
HEADS = (KEPT, NEW)
ALWAYS, AT_END = "always", "end"
PRECISIONS = ("default", "high", "highest", "bfloat16", "tensorfloat32", "float32")


@dataclass(frozen=True)
class TrainingConfig:
    """What decides the result of a run, beside its data, its method and its seed.

    Attributes:
      encoder: a name on the Hugging Face hub, a local folder, or ``all-MiniLM-L6-v2``.
      head: ``kept``, where the encoder has a classification head it goes on from that; or ``new``.
      max_length: tokens; longer inputs are cut.
      pad_to_multiple_of: inputs are padded to the length of the longest they are computed with,
        rounded up to a multiple of this. A larger one leaves fewer shapes to compile, and more
        padding to compute: worth it on accelerators. Changes which dropout masks are drawn, too.
      cid_probes: the first so many training examples are the probes whose influence difference is
        measured.
      cid_rows: training examples that it is measured against, drawn at random, the probes among
        them; all, where none.
      cid_when: ``always``, after every epoch or before and after every round, or only at the
        ``end``, which is cheaper. Changes nothing else.
      accuracy_when: the same of accuracies on dev, which ``always`` measures after every epoch. The
        ``end`` goes with selection ``last`` only.
      selection: which moment that is measured on dev gives the model: the ``last``; or the best by
        the mean over groups of dev accuracy (``balanced``), by the ``worst`` group, or by
        ``accuracy``, the latest of equal ones. But for ``last``, rounds are followed by such a
        moment, too.
      precision: of matrix products on accelerators, as ``jax_default_matmul_precision``.
      access: which training examples' confounds the method may see.
      label: the label phase.
      influence: the influence phase of influence tuning.
      embedding: the influence phase of embedding tuning.
      adversarial: the adversary of adversarial training.
      group_dro: the group weights of group DRO.
      last_layer: the second phase of last layer retraining.
      experts: the expert of the confound in product of experts.
    """

    encoder: str = "all-MiniLM-L6-v2"
    head: str = KEPT
    max_length: int = 64
    pad_to_multiple_of: int = BUCKET
    cid_probes: int = 40
    cid_rows: int | None = None
    cid_when: str = ALWAYS
    accuracy_when: str = ALWAYS
    selection: str = LAST
    precision: str = "highest"
    access: AccessConfig = field(default_factory=AccessConfig)
    label: LabelConfig = field(default_factory=LabelConfig)
    influence: InfluenceConfig = field(default_factory=InfluenceConfig)
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    group_dro: GroupDroConfig = field(default_factory=GroupDroConfig)
    last_layer: LastLayerConfig = field(default_factory=LastLayerConfig)
    experts: ExpertsConfig = field(default_factory=ExpertsConfig)

    def __post_init__(self):
        require(self, "a positive integer", lambda v: v >= 1, "cid_probes", "pad_to_multiple_of")
        require(self, "an integer of at least 2", lambda v: v is None or v >= 2, "cid_rows")
        require(self, "an integer of at least 3", lambda v: v >= 3, "max_length")
        choices = {
            "head": HEADS,
            "cid_when": (ALWAYS, AT_END),
            "accuracy_when": (ALWAYS, AT_END),
            "selection": SELECTIONS,
            "precision": PRECISIONS,
        }
        for name, known in choices.items():
            require(self, f"one of {', '.join(known)}", known.__contains__, name)
        if self.selection != LAST:
            need = f"{ALWAYS}, since selection is {self.selection}"
            require(self, need, ALWAYS.__eq__, "accuracy_when")


@dataclass(frozen=True)
class RunConfig(TrainingConfig):
    """What decides the result of a run on a task, beside its method and its seed.

    Attributes:
      data: where the examples come from.
    """

    data: DataConfig = field(default_factory=DataConfig)

"""What decides the result of a run, beside its method and its seed."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from itune.corpora.tasks import DataConfig
from itune.data.access import AccessConfig
from itune.errors import require
from itune.methods import LabelConfig
from itune.methods.registry import method_settings
from itune.training.best_checkpoint import LAST, SELECTIONS
from itune.utils.suggestions import require_one_of

KEPT, NEW = "kept", "new"
HEADS = (KEPT, NEW)
ALWAYS, AT_END = "always", "end"
PRECISIONS = ("default", "high", "highest", "bfloat16", "tensorfloat32", "float32")

C = TypeVar("C")


def _with_method_settings(cls: type[C]) -> type[C]:
    """Add a field for each section of settings that methods have of their own."""
    cls.__annotations__ = {**cls.__annotations__, **method_settings()}
    for name, settings in method_settings().items():
        setattr(cls, name, field(default_factory=settings))
    return cls


@dataclass(frozen=True)
@_with_method_settings
class TrainingConfig:
    """What decides the result of a run, beside its data, its method and its seed.

    It has further fields for what methods have of their own, such as ``influence``; their names and
    classes are the ``settings`` of :data:`~itune.methods.METHODS`.

    Attributes:
      encoder: Encoder to start from: a name on the Hugging Face hub, a local folder, or
        ``all-MiniLM-L6-v2``.
      head: ``kept`` to start from the encoder's classification head, if it has one; or ``new`` for
        a new head.
      max_length: Number of tokens to which inputs are truncated.
      pad_to_multiple_of: Number of tokens to whose multiples inputs are padded, each the length of
        the longest of those that are computed at once. A larger number leaves fewer shapes to
        compile but adds padding to compute, which pays on accelerators. With none, at most 14
        lengths are chosen by the lengths of the data, fewer for a short training, so that little
        padding is computed. It changes which dropout masks are drawn, nothing else.
      cid_probes: Number of probes of the influence difference (CID): the first annotated training
        examples, or the first of the ``cid_rows`` that are drawn.
      cid_rows: Number of training examples that CID is measured on, drawn at random, the probes
        among them; all if none.
      cid_when: When CID is measured: ``always``, which is after every epoch, or before and after
        every round; or only at the ``end``, which is cheaper. It changes nothing else.
      accuracy_when: When accuracies on dev are measured: ``always``, which is after every epoch; or
        only at the ``end``, which requires selection ``last``.
      accuracy_every: Number of label steps after which accuracies on dev are measured as well, so
        that ``selection`` has more to choose from; none if only after every epoch.
      diagnostics: Whether rounds are looked at more closely wherever CID is measured: the spread of
        influences, how the gradients of both losses oppose, how far groups of train are fitted, and
        CID on dev. It changes nothing else.
      selection: Which evaluation on dev gives the model: the ``last``; or the best by the mean
        accuracy over groups (``balanced``), by the accuracy of the ``worst`` group, or by overall
        ``accuracy``. Of equal evaluations the latest is taken. Unless it is ``last``, every round
        is followed by an evaluation, too.
      precision: Precision of matrix products on accelerators; a value of JAX's option
        ``jax_default_matmul_precision``.
      access: Settings of which training examples' confounds the method may see.
      label: Settings of the label phase.
    """

    encoder: str = "all-MiniLM-L6-v2"
    head: str = KEPT
    max_length: int = 64
    pad_to_multiple_of: int | None = None
    cid_probes: int = 40
    cid_rows: int | None = None
    cid_when: str = ALWAYS
    accuracy_when: str = ALWAYS
    accuracy_every: int | None = None
    diagnostics: bool = False
    selection: str = LAST
    precision: str = "highest"
    access: AccessConfig = field(default_factory=AccessConfig)
    label: LabelConfig = field(default_factory=LabelConfig)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __post_init__(self):
        require(self, "a positive integer", lambda v: v >= 1, "cid_probes")
        require(self, "an integer of at least 2", lambda v: v is None or v >= 2, "cid_rows")
        every = "a positive integer or none"
        require(self, every, lambda v: v is None or v >= 1, "accuracy_every", "pad_to_multiple_of")
        require(self, "an integer of at least 3", lambda v: v >= 3, "max_length")
        when = (ALWAYS, AT_END)
        require_one_of(self, head=HEADS, cid_when=when, accuracy_when=when)
        require_one_of(self, selection=SELECTIONS, precision=PRECISIONS)
        if self.selection != LAST:
            need = f"{ALWAYS}, since selection is {self.selection}"
            require(self, need, ALWAYS.__eq__, "accuracy_when")


@dataclass(frozen=True)
class RunConfig(TrainingConfig):
    """What decides the result of a run on a task, beside its method and its seed.

    Attributes:
      data: Settings of where the examples come from.
    """

    data: DataConfig = field(default_factory=DataConfig)

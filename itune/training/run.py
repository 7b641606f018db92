"""One run: a method on a task with an encoder and a seed, in a folder of its own."""

import datetime
import functools
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from itune.analysis import accuracy, make_cid, make_logits
from itune.data.access import AccessConfig, hide_confounds
from itune.data.dataset import Dataset, tokenize
from itune.data.tasks import SPLITS, DataConfig, Splits, load_control, load_splits
from itune.errors import UserError, require
from itune.methods import (
    AdversarialConfig,
    Classifier,
    EmbeddingConfig,
    ExpertsConfig,
    GroupDroConfig,
    InfluenceConfig,
    LabelConfig,
    LastLayerConfig,
    Method,
    Work,
    adversarial,
    balanced_sampling,
    confounds_read,
    embedding_tuning,
    finetuning,
    group_dro,
    influence_tuning,
    last_cid_only,
    last_layer_retraining,
    product_of_experts,
    subsampling,
)
from itune.methods.label import labels_met
from itune.models import (
    BertClassifier,
    load_encoder,
    load_tokenizer,
    resolve_encoder,
    save_classifier,
)
from itune.training.classifier import make_classifier
from itune.training.collapse import chance_limit, make_collapse_test
from itune.training.loop import Measure, train
from itune.training.records import read_rows, write_json
from itune.training.versions import versions

ALWAYS, AT_END = "always", "end"
PRECISIONS = ("default", "high", "highest", "bfloat16", "tensorfloat32", "float32")


@dataclass(frozen=True)
class RunConfig:
    """What decides the result of a run, beside its method and its seed.

    Attributes:
      encoder: a name on the Hugging Face hub, a local folder, or ``all-MiniLM-L6-v2``.
      max_length: word pieces; longer inputs are cut.
      cid_probes: the first so many training examples are the probes whose influence difference is
        measured.
      cid_when: ``always``, after every epoch or before and after every round, or only at the
        ``end``, which is cheaper. Changes nothing else.
      precision: of matrix products on accelerators, as ``jax_default_matmul_precision``.
      data: where the examples come from.
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
    max_length: int = 64
    cid_probes: int = 40
    cid_when: str = ALWAYS
    precision: str = "highest"
    data: DataConfig = field(default_factory=DataConfig)
    access: AccessConfig = field(default_factory=AccessConfig)
    label: LabelConfig = field(default_factory=LabelConfig)
    influence: InfluenceConfig = field(default_factory=InfluenceConfig)
    embedding: EmbeddingConfig = field(default_factory=EmbeddingConfig)
    adversarial: AdversarialConfig = field(default_factory=AdversarialConfig)
    group_dro: GroupDroConfig = field(default_factory=GroupDroConfig)
    last_layer: LastLayerConfig = field(default_factory=LastLayerConfig)
    experts: ExpertsConfig = field(default_factory=ExpertsConfig)

    def __post_init__(self):
        require(self, "an integer, 1 or more", lambda v: v >= 1, "cid_probes")
        require(self, f"one of {ALWAYS}, {AT_END}", (ALWAYS, AT_END).__contains__, "cid_when")
        require(self, f"one of {', '.join(PRECISIONS)}", PRECISIONS.__contains__, "precision")


class Recipe(NamedTuple):
    """How a run makes its method.

    Attributes:
      make: ``make(config, classifier, train, seed) -> Method``.
      sections: of the configuration that it depends on, beside those of all.
      uses_control: trains on the unconfounded control of its data.
    """

    make: Callable[[RunConfig, Classifier, Dataset, int], Method]
    sections: tuple[str, ...] = ()
    uses_control: bool = False


def _finetuning(c, classifier, train, seed, **changes):
    return finetuning(classifier, c.label, len(train), seed, **changes)


METHODS: dict[str, Recipe] = {
    "finetuning": Recipe(_finetuning),
    "finetuning_without_dropout": Recipe(
        lambda c, *args: _finetuning(c, *args, interval=c.influence.interval, drops_dropout=True),
        ("influence",),
    ),
    "finetuning_with_resets": Recipe(
        lambda c, *args: _finetuning(c, *args, interval=c.influence.interval, resets=True),
        ("influence",),
    ),
    "adversarial": Recipe(
        lambda c, classifier, train, seed: adversarial(
            classifier, c.label, c.adversarial, train, seed
        ),
        ("adversarial", "access"),
    ),
    "influence_tuning": Recipe(
        lambda c, classifier, train, seed: influence_tuning(
            classifier, c.label, c.influence, len(train), seed
        ),
        ("influence", "access"),
    ),
    "embedding_tuning": Recipe(
        lambda c, classifier, train, seed: embedding_tuning(
            classifier, c.label, c.embedding, len(train), seed
        ),
        ("embedding", "access"),
    ),
    "balanced_sampling": Recipe(
        lambda c, classifier, train, seed: balanced_sampling(classifier, c.label, len(train), seed),
        ("access",),
    ),
    "subsampling": Recipe(
        lambda c, classifier, train, seed: subsampling(classifier, c.label, len(train), seed),
        ("access",),
    ),
    "group_dro": Recipe(
        lambda c, classifier, train, seed: group_dro(classifier, c.label, c.group_dro, train, seed),
        ("group_dro", "access"),
    ),
    "last_layer_retraining": Recipe(
        lambda c, classifier, train, seed: last_layer_retraining(
            classifier, c.label, c.last_layer, train, seed
        ),
        ("last_layer", "access"),
    ),
    "product_of_experts": Recipe(
        lambda c, classifier, train, seed: product_of_experts(
            classifier, c.label, c.experts, train, seed
        ),
        ("experts", "access"),
    ),
    "no_spurious": Recipe(_finetuning, uses_control=True),
}
"""Every method by name; ``no_spurious`` is the upper bound: finetuning without the confound."""

SECTIONS = (
    "access",
    "influence",
    "embedding",
    "adversarial",
    "group_dro",
    "last_layer",
    "experts",
)
"""Parts of a configuration that only some methods depend on."""


class Finished(NamedTuple):
    """A finished run, as its folder holds it.

    Attributes:
      folder: with ``config.json``, ``metrics.jsonl``, ``result.json``, ``cid.png`` and ``model/``.
      result: what ``result.json`` says.
      metrics: the rows of ``metrics.jsonl``.
    """

    folder: Path
    result: dict[str, Any]
    metrics: list[dict[str, Any]]


def run(
    config: RunConfig,
    method: str,
    seed: int,
    folder: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    checkpoint_seconds: float = 120.0,
) -> Finished:
    """Trains, measures and writes a run's folder; returns a finished one as it is.

    Args:
      config: the setting.
      method: a key of :data:`METHODS`.
      seed: of the classifier's initial weights, batches, dropout, probes and partners.
      folder: the run's own folder; made if absent.
      resume: go on with what is there; a finished run of this configuration is returned untouched.
      overwrite: delete what is there first.
      checkpoint_seconds: time between checkpoints.

    Raises:
      UserError: bad input of any kind, or the folder holds something else.
    """
    folder = Path(folder)
    if method not in METHODS:
        raise UserError(f"method is {method!r}; use one of {', '.join(METHODS)}")
    splits = load_data(config, method)
    description = {"method": method, "seed": seed, **_describe(config, splits)}
    _require_free(folder, description, resume=resume, overwrite=overwrite)
    if not overwrite and (folder / "result.json").exists():
        return read_run(folder)
    begin = functools.partial(_begin, folder, description, overwrite=overwrite)
    with jax.default_matmul_precision(config.precision):
        return _run(config, method, seed, splits, folder, begin, checkpoint_seconds)


def load_data(config: RunConfig, method: str) -> Splits:
    """The examples that a method is trained and tested on.

    Raises:
      UserError: they are missing or malformed.
    """
    load = load_control if METHODS[method].uses_control else load_splits
    return load(config.data)


def read_run(folder: Path) -> Finished:
    """Reads a finished run's folder.

    Raises:
      UserError: a file of it is missing or damaged.
    """
    try:
        result = json.loads((folder / "result.json").read_text())
        return Finished(folder, result, read_rows(folder / "metrics.jsonl"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder}: result.json or metrics.jsonl is damaged ({error}); start over with "
            "--overwrite true"
        ) from error


def _run(config, method_name, seed, splits, folder, begin, checkpoint_seconds) -> Finished:
    source = resolve_encoder(config.encoder)
    bert, params = load_encoder(source, splits.label_count, jax.random.key(seed))
    tokenizer = load_tokenizer(source)
    to_dataset = functools.partial(
        tokenize,
        tokenizer=tokenizer,
        max_length=config.max_length,
        max_positions=bert.max_positions,
        vocab_size=bert.vocab_size,
    )
    data = {name: to_dataset(getattr(splits, name)) for name in SPLITS}
    classifier = make_classifier(BertClassifier(bert))
    accuracies = _accuracies(classifier)
    measures = _measures(config, classifier, data, accuracies)
    hides = np.random.default_rng([seed, 3])
    seen = hide_confounds(data["train"], config.access, hides)
    method = METHODS[method_name].make(config, classifier, seen, seed)
    if config.cid_when == AT_END:
        method = method._replace(plan=lambda train, plan=method.plan: last_cid_only(plan(train)))
    plan = method.plan(seen)  # refuses data that it cannot use
    begin()  # all input was good: only now is anything deleted or written
    trained = train(
        method,
        params,
        seen,
        measures,
        folder,
        name=f"{method_name} {seed}",
        checkpoint_seconds=checkpoint_seconds,
        has_collapsed=_collapse_test(config, data["train"], plan),
    )
    params = trained.state.params
    save_classifier(folder / "model", bert, params, source, overwrite=True)
    metrics = read_rows(folder / "metrics.jsonl")
    scores = {split: accuracies(params, data[split]) for split in SPLITS}
    limit = chance_limit(data["train"].label, len(data["train"]))
    result = {
        "method": method_name,
        "task": config.data.name,
        "encoder": config.encoder,
        "seed": seed,
        **scores,
        "collapsed": trained.has_collapsed or scores["train"]["accuracy"] < limit,
        "access": asdict(config.access),
        "confounds": {"visible": len(seen.visible), "read": confounds_read(plan, seen)},
        "cid": [row for row in metrics if row["kind"] == "cid"][-1],
        "seconds": round(trained.seconds, 1),
        "finished": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    write_json(folder / "result.json", result)
    shutil.rmtree(folder / "checkpoints")
    return Finished(folder, result, metrics)


def _collapse_test(config: RunConfig, train: Dataset, plan: list[Work]):
    updates = sum(work.kind == "label_update" for work in plan)
    return make_collapse_test(
        labels_met(plan, train),
        batch=config.label.batch,
        epoch_steps=len(train) // config.label.batch,
        total_steps=updates,
    )


def _accuracies(classifier: Classifier):
    predict = make_logits(lambda params, z: classifier.outputs(params, z, None).logits)
    return lambda params, dataset: accuracy(predict(params, dataset), dataset).to_dict()


def _measures(config, classifier, data: dict[str, Dataset], accuracies) -> dict[str, Measure]:
    size = len(data["train"])
    probes = np.arange(min(config.cid_probes, size))
    cid = make_cid(classifier.loss, data["train"], probes=probes)
    return {
        "cid": Measure(lambda params: cid(params).summary(), cost=1.3 * size),
        "accuracy": Measure(
            lambda params: {f"dev_{k}": v for k, v in accuracies(params, data["dev"]).items()},
            cost=0.3 * len(data["dev"]),
        ),
    }


def _describe(config: RunConfig, splits: Splits) -> dict[str, Any]:
    """The configuration with what else decides the result."""
    return {
        "config": json.loads(json.dumps(asdict(config))),
        "data_sha256": splits.digest(),
        "versions": versions(),
        "device": jax.devices()[0].device_kind,
    }


def _require_free(folder: Path, description: dict, *, resume: bool, overwrite: bool) -> None:
    """Says why the folder must not be touched, if it must not."""
    path = folder / "config.json"
    try:
        if folder.exists() and not folder.is_dir():
            raise UserError(f"{folder} is a file; choose another --name or --out")
        if not folder.exists() or not any(folder.iterdir()):
            return
        if not path.exists():
            raise UserError(
                f"{folder} is not empty and holds no run; choose another --name or --out"
            )
        if not resume and not overwrite:
            raise UserError(
                f"{folder} already holds a run; go on with it by --resume true, replace it by "
                "--overwrite true, or choose another --name"
            )
        if not overwrite:
            _require_same(path, description)
    except OSError as error:
        raise _unusable(folder, error) from None


def _begin(folder: Path, description: dict, *, overwrite: bool) -> None:
    """Makes the folder of a run, unless it is there to be gone on with."""
    path = folder / "config.json"
    try:
        if overwrite and folder.exists():
            shutil.rmtree(folder)
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_json(path, description)
    except OSError as error:
        raise _unusable(folder, error) from None


def _unusable(folder: Path, error: OSError) -> UserError:
    return UserError(f"cannot use folder {folder}: {error.strerror}; try another --out or --name")


def _require_same(path: Path, description: dict) -> None:
    method = description["method"]
    try:
        found = json.loads(path.read_text())
        found = _decisive(found, method)
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise UserError(f"{path} is damaged; start over with --overwrite true") from error
    for key, value in _decisive(description, method).items():
        if found.get(key) != value:
            raise UserError(
                f"{path}: this run was started with {key} {found.get(key)!r}, not {value!r}; "
                "resume it as it was started, or choose another --name"
            )


def _decisive(description: Mapping[str, Any], method: str) -> dict[str, Any]:
    """What ``config.json`` says that decides a run, with dotted keys."""
    config = decisive(description["config"], method)
    named = {f"config.{key}": value for key, value in config.items()}
    return named | {key: description.get(key) for key in ("method", "seed", "data_sha256")}


def decisive(config: Mapping[str, Any], method: str) -> dict[str, Any]:
    """What of a run's configuration decides its outcome, with dotted keys.

    Not when it is measured, nor the sections that its method does not depend on.
    """
    others = tuple(f"{name}." for name in SECTIONS if name not in METHODS[method].sections)
    return {
        key: value
        for key, value in flat(config).items()
        if key != "cid_when" and not key.startswith(others)
    }


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested mappings as one, with dotted keys."""
    rows = {}
    for key, value in tree.items():
        is_inner = isinstance(value, Mapping)
        rows |= flat(value, f"{prefix}{key}.") if is_inner else {prefix + key: value}
    return rows

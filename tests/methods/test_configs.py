"""Settings of methods that make no sense are refused."""

from dataclasses import replace

import pytest

from itune.errors import UserError
from itune.methods import (
    AdversarialConfig,
    BcsiConfig,
    CncConfig,
    CounterfactualConfig,
    D3mConfig,
    ExpertsConfig,
    FishConfig,
    GroupDroConfig,
    IffairConfig,
    InfluenceConfig,
    IpgConfig,
    JttConfig,
    LabelConfig,
    LastLayerConfig,
    LisaConfig,
)


@pytest.mark.parametrize(
    ("config", "name", "value"),
    [
        *[(LabelConfig(), name, 0) for name in ("epochs", "batch", "chunk", "clip")],
        *[(LabelConfig(), name, -1e-5) for name in ("learning_rate", "weight_decay", "warmup")],
        (LabelConfig(), "warmup", 1.1),
        *[
            (InfluenceConfig(), n, 0)
            for n in ("interval", "epochs", "batch", "probes", "k", "chunk")
        ],
        *[(InfluenceConfig(), name, -1.0) for name in ("learning_rate", "weight_decay", "clip")],
        (AdversarialConfig(), "epochs", 0),
        *[(AdversarialConfig(), name, -0.1) for name in ("learning_rate", "reversal")],
        *[(GroupDroConfig(), name, -0.1) for name in ("step_size", "weight_decay")],
        *[(D3mConfig(), name, -0.1) for name in ("drop", "beta")],
        (D3mConfig(), "drop", 1.1),
        *[(D3mConfig(), name, 0) for name in ("reference", "sample")],
        (D3mConfig(), "score", "cosines"),
        *[(CounterfactualConfig(), "share", value) for value in (-0.1, 1.1)],
        *[(IpgConfig(), name, 0) for name in ("pairs", "batch")],
        *[(IpgConfig(), name, -0.1) for name in ("tolerance", "learning_rate")],
        *[(IffairConfig(), "strength", value) for value in (-0.1, 1.1)],
        (IffairConfig(), "reference", 0),
        (IffairConfig(), "weights", "univorm"),
        (IffairConfig(), "score", "cosines"),
        *[(BcsiConfig(), name, 0) for name in ("models", "epochs", "remedy_epochs", "damping")],
        *[(BcsiConfig(), name, -0.1) for name in ("q", "share", "learning_rate", "rest")],
        *[(BcsiConfig(), name, 1.1) for name in ("q", "share")],
        *[(CncConfig(), name, 0) for name in ("epochs", "temperature")],
        *[(CncConfig(), "weight", value) for value in (-0.1, 1.1)],
        *[(FishConfig(), "step_size", value) for value in (-0.1, 1.1)],
        (FishConfig(), "domains", "groups"),
        (JttConfig(), "epochs", 0),
        (JttConfig(), "upweight", 0.0),
        (LastLayerConfig(), "epochs", 0),
        *[(LastLayerConfig(), name, -0.1) for name in ("learning_rate", "weight_decay")],
        (LastLayerConfig(), "start", "anew"),
        (LisaConfig(), "alpha", 0.0),
        (LisaConfig(), "same_label", 1.1),
        (ExpertsConfig(), "smoothing", 0.0),
        (InfluenceConfig(), "partners", "drwan"),
        (InfluenceConfig(), "schedule", "papier"),
        (InfluenceConfig(), "route", "host"),
    ],
)
def test_numbers_that_make_no_sense(config, name, value):
    with pytest.raises(UserError, match=f"^{name} must be .*, got {value!r}(; did you mean .*)?$"):
        replace(config, **{name: value})

"""Runs: everything with effects, from data and an encoder to the folder of a trained model."""

from itune.training.classifier import make_classifier
from itune.training.run import check_run, run_on, run_order, run_seeds, run_task, run_task_seeds
from itune.training.run_folder import Finished, RunInUse, RunOptions, is_at_work
from itune.training.settings import RunConfig, TrainingConfig
from itune.training.states import runs_at_once
from itune.training.trained_model import LoadedModel, load_model
from itune.training.versions import commit, machine

__all__ = [
    "Finished",
    "LoadedModel",
    "RunConfig",
    "RunInUse",
    "RunOptions",
    "TrainingConfig",
    "check_run",
    "commit",
    "is_at_work",
    "load_model",
    "machine",
    "make_classifier",
    "run_on",
    "run_order",
    "run_seeds",
    "run_task",
    "run_task_seeds",
    "runs_at_once",
]

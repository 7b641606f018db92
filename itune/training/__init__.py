"""Runs: everything with effects, from data and an encoder to the folder of a trained model."""

from itune.training.classifier import make_classifier
from itune.training.record import RunRecord, find_record, read_record, tables_of_model
from itune.training.run import check_run, load_data, run_on, run_task
from itune.training.run_folder import Finished, RunInUse, RunOptions, is_at_work, read_run
from itune.training.settings import RunConfig, TrainingConfig
from itune.training.trained_model import LoadedModel, load_model
from itune.training.versions import commit, machine, versions

__all__ = [
    "Finished",
    "LoadedModel",
    "RunConfig",
    "RunInUse",
    "RunOptions",
    "RunRecord",
    "TrainingConfig",
    "check_run",
    "commit",
    "find_record",
    "is_at_work",
    "load_data",
    "load_model",
    "machine",
    "make_classifier",
    "read_record",
    "read_run",
    "run_on",
    "run_task",
    "tables_of_model",
    "versions",
]

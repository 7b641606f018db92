"""Optuna's storages: journal files and databases, whose many errors become one line."""

import contextlib
import json
import re
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from itune.errors import UserError, as_path, option
from itune.utils.formats import first_line

if TYPE_CHECKING:
    from optuna.storages import BaseStorage
    from optuna.study import Study

BEAT_SECONDS, GRACE_SECONDS = 60, 600
"""How often a worker records that it is alive, in a database, and when it is taken for dead."""


def is_database(where: str) -> bool:
    """Return whether a study is in a database, named by its URL, rather than in a file."""
    return "://" in where


def load_study(where: str, name: str, fingerprint: Mapping[str, Any] | None) -> "Study | None":
    """Return Optuna's study; if there is none, a new one with a fingerprint, or None without it."""
    import optuna

    if re.fullmatch(r"sqlite(\+\w+)?://(/(:memory:)?)?", where):
        raise UserError(
            f"the study {where} is in memory, where no other worker finds it; name a file, as in "
            "sqlite:///study.db"
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)  # heartbeats
    name = name if is_database(where) else "search"
    with storage_errors(where, Exception):
        if fingerprint is None and not is_database(where) and not as_path(where).exists():
            return None
        storage = _open_database(where) if is_database(where) else _open_journal(as_path(where))
        sampler = optuna.samplers.RandomSampler()  # samples nothing: points are claimed
        if name in optuna.get_all_study_names(storage):
            study = optuna.load_study(study_name=name, storage=storage, sampler=sampler)
        elif fingerprint is None:
            return None
        else:
            study = optuna.create_study(
                study_name=name,
                storage=storage,
                sampler=sampler,
                direction="maximize",
                load_if_exists=True,  # another worker may have been quicker
            )
        if fingerprint is not None and not study.user_attrs and not study.get_trials():
            study.set_user_attr("fingerprint", fingerprint)
        return study


def _open_journal(path: Path) -> "BaseStorage":
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = path.resolve()  # Optuna's lock is a link to the journal, which a relative path misses
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():  # refuse other files, which Optuna would write to before it reads them
        with path.open("rb") as file:
            first = file.readline()
        if first and "op_code" not in json.loads(first):
            raise ValueError("it is no journal")
    return JournalStorage(JournalFileBackend(str(path)))


def _open_database(url: str) -> "BaseStorage":
    from optuna.storages import RDBStorage
    from sqlalchemy.exc import OperationalError, ProgrammingError
    from sqlalchemy.pool import NullPool

    class Database(RDBStorage):
        def record_heartbeat(self, trial_id: int) -> None:
            with contextlib.suppress(Exception):  # an error that lasts is met by the next trial
                super().record_heartbeat(trial_id)

    options = {
        "heartbeat_interval": BEAT_SECONDS,
        "grace_period": GRACE_SECONDS,
        "engine_kwargs": {"poolclass": NullPool},  # many workers hold no connection between claims
    }
    try:
        return Database(url, **options)
    except (OperationalError, ProgrammingError):  # another worker was creating the tables
        time.sleep(1)
        return Database(url, **options)


@contextlib.contextmanager
def storage_errors(where: str, *kinds: type[Exception]) -> Iterator[None]:
    """Raise what storages raise while they are used, and further errors, as a UserError."""
    from optuna.exceptions import StorageInternalError
    from sqlalchemy.exc import SQLAlchemyError

    journal_errors = (OSError, json.JSONDecodeError, RuntimeError)  # the last: a broken lock
    try:
        yield
    except (*journal_errors, StorageInternalError, SQLAlchemyError, *kinds) as error:
        raise UserError(
            f"cannot use the study {shown(where)} ({type(error).__name__}: {first_line(error)}); "
            f"repair it or name another {option('study')}: finished runs are kept and need not be "
            "repeated"
        ) from error


def shown(where: str) -> str:
    """Return a URL without its password.

    >>> shown("mysql://ann:secret@host/base")
    'mysql://ann:…@host/base'
    """
    return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:…@", where)

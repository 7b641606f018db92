"""What tests of audits share: a folder with a model, and tables to train and to test."""

import pytest

from tests.helpers.small_audit import make_folder


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return make_folder(tmp_path_factory.mktemp("audit"))

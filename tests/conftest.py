import gc
import os
import sys

import pytest
import torch
from composing import composed_once

from helpers import with_few_timed
from sdrun import cli, job

torch.set_num_threads(1)
gc.set_threshold(100_000, 50, 100)  # what is imported stays, and is looked through less often


@pytest.fixture(scope="session", autouse=True)
def _without_waiting_for_the_disk():
    """Files are flushed for the case that the power goes, which no test sees; those of ``faults`` tear them by hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _with_few_timed():
    with with_few_timed():
        yield


@pytest.fixture(scope="session", autouse=True)
def _composed_once():
    with composed_once():
        yield


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def called(tmp_path, monkeypatch, capsys):
    """``sdrun ARGUMENTS`` in this process: the exit code, and all that it printed."""
    monkeypatch.setenv(job.FULL_ERROR, "0")  # a start sets it

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["sdrun", *arguments])
        code = cli.main()
        return code, "".join(capsys.readouterr())

    return call

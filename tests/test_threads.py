"""Threads are chosen by the work of a step, never by the clock, and recorded."""

import pytest
import torch

from helpers import SMALL, images, settings
from sdrun import hardware, run, tasks
from sdrun.errors import InputError
from sdrun.hardware import resolve

FREE = [override for override in SMALL if not override.startswith("hardware.threads")]


@pytest.mark.parametrize(("work", "threads"), [(0, 1), (399_999_999, 1), (800_000_000, 2), (10**12, 8)])
def test_by_work_and_never_more_than_cores(monkeypatch, work, threads):
    monkeypatch.setattr(hardware.joblib, "cpu_count", lambda: 8)
    assert resolve(settings().hardware, work).threads == threads
    monkeypatch.setattr(hardware.joblib, "cpu_count", lambda: 1)
    assert resolve(settings().hardware, work).threads == 1


def test_the_ranks_of_a_machine_share_its_cores(monkeypatch):
    monkeypatch.setattr(hardware.joblib, "cpu_count", lambda: 8)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert resolve(settings().hardware, 10**12).threads == 2


def test_more_than_cores_are_refused(monkeypatch):
    monkeypatch.setattr(hardware.joblib, "cpu_count", lambda: 2)
    with pytest.raises(InputError, match=r"hardware.threads: is 3, but this process may use 2 cores.*threads=2"):
        resolve(settings("hardware.threads=3").hardware)


def work_of(asked, item):
    """Multiply-adds of a batch."""
    return run._size(asked, item).multiply_adds * asked.optim.batch_size


def test_the_work_is_that_of_a_batch_and_draws_nothing():
    asked = settings("model.widths=[8,8]", "model.depth=0")
    item = tasks.load(asked.dataset).item
    before = torch.random.get_rng_state()
    one = work_of(asked, item)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert work_of(settings("model.widths=[8,8]", "model.depth=0", "optim.batch_size=256"), item) == 2 * one
    small, large = settings("dataset=digits"), settings("dataset=fashion_mnist")
    assert work_of(small, item) < hardware.WORK_OF_A_THREAD
    assert work_of(large, images(1, 28)) > 2 * hardware.WORK_OF_A_THREAD


def test_what_was_chosen_is_recorded_and_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(hardware.joblib, "cpu_count", lambda: 2)
    monkeypatch.setattr(hardware, "WORK_OF_A_THREAD", 1)
    overrides = [*FREE, "method=supervised", "optim.max_steps=1"]
    run.start(settings(*overrides), tmp_path / "run", overrides)
    assert "threads: 2" in (tmp_path / "run/config.yaml").read_text()
    monkeypatch.setattr(hardware.joblib, "cpu_count", lambda: 1)
    run.resume(tmp_path / "run", repair=True)
    assert "threads: 2" in (tmp_path / "run/config.yaml").read_text()

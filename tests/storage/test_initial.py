"""A run that starts from another's backbone."""

import shutil
from pathlib import Path

import pytest
import torch

from helpers import QUICK, check, differences, images, manifest, rewrite_manifest, settings, start, summary, weights
from sdrun import models, run
from sdrun.errors import InputError
from sdrun.experiment import Experiment
from sdrun.storage import checkpoints
from sdrun.storage.folder import RunFolder
from sdrun.storage.initial import initial


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    return start(tmp_path_factory.mktemp("runs") / "pretrained", "method=mean_teacher", "optim.epochs=1")


def started_with(path: Path, monkeypatch, *overrides):
    """The backbone that the first student had before its first step."""
    found = []
    student = Experiment.student

    def remember(self, *arguments):
        made = student(self, *arguments)
        found.append({name: value.clone() for name, value in made.backbone.state_dict().items()})
        return made

    monkeypatch.setattr(Experiment, "student", remember)
    start(path, "method=supervised", "optim.epochs=1", *overrides)
    return found[0]


@pytest.mark.parametrize(
    ("choice", "prefix"),
    [
        ((), "teacher.network.backbone."),
        (("init_network=teacher",), "teacher.network.backbone."),
        (("init_network=student",), "student.backbone."),
    ],
)
def test_every_student_starts_with_that_backbone(pretrained, tmp_path, monkeypatch, choice, prefix):
    found = started_with(tmp_path / "run", monkeypatch, f"init_from={pretrained}", *choice)
    state = weights(pretrained)
    for name, value in found.items():
        torch.testing.assert_close(value, state[f"mean_teacher/last/{prefix}{name}"])
    init = manifest(tmp_path / "run")["init"]
    assert init["sha256"] == summary(pretrained)["stages"][0]["sha256"]["last"]


def test_a_run_without_teacher_gives_its_student(tmp_path, monkeypatch):
    first = start(tmp_path / "first", "method=supervised", "optim.epochs=1")
    found = started_with(tmp_path / "second", monkeypatch, f"init_from={first}")
    state = weights(first)
    for name, value in found.items():
        torch.testing.assert_close(value, state[f"supervised/last/student.backbone.{name}"])
    with pytest.raises(InputError, match="init_network: .* holds no teacher; choose the other"):
        start(tmp_path / "third", "method=supervised", f"init_from={first}", "init_network=teacher")


def test_it_resumes_from_another_folder_and_refuses_other_weights(pretrained, tmp_path, monkeypatch):
    monkeypatch.chdir(pretrained.parent)
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1", f"init_from={pretrained.name}")
    monkeypatch.chdir(tmp_path)
    run.resume(path)
    rewrite_manifest(path, init={**manifest(path)["init"], "sha256": "0" * 64})
    with pytest.raises(InputError, match="changed since it began"):
        run.resume(path)


def test_bad_places_are_named(pretrained, tmp_path):
    def asked(*overrides):
        return initial(settings("model.widths=[8,8]", *overrides))

    with pytest.raises(InputError, match="nowhere holds no run"):
        asked("init_from=nowhere")
    with pytest.raises(InputError, match=r"init_from: .* has another model; choose model.widths=\[8, 8\]"):
        asked(f"init_from={pretrained}", "model.widths=[4]")
    with pytest.raises(InputError, match=r"init_from: .* has another model; choose model=cnn"):
        initial(settings("model=resnet8", f"init_from={pretrained}"))
    with pytest.raises(InputError, match="init_network: has no effect without init_from"):
        asked("init_network=student")
    assert initial(settings()) is None
    unfinished = tmp_path / "unfinished"
    unfinished.mkdir()
    RunFolder(unfinished, manifest(pretrained)).update_manifest(status="interrupted")
    with pytest.raises(InputError, match="is interrupted; finish it by: sdrun resume"):
        asked(f"init_from={unfinished}")


def test_another_image_size_does_not_fit_a_vit(tmp_path, pretrained):
    vit = ("model=vit_tiny", "model.width=24", "model.depth=2")
    small = ("dataset.train_size=60", "optim.batch_size=20", "optim.epochs=1", *QUICK)
    first = settings("dataset=digits", "method=supervised", "dataset.val_size=60", *small, *vit, "model.patch_size=2")
    run.start(first, tmp_path / "first", [])
    found = initial(settings(*vit, "model.patch_size=2", f"init_from={tmp_path / 'first'}"))
    other = models.build(settings(*vit, "model.patch_size=2").model, images(1, 16))
    with pytest.raises(InputError, match="does not fit these items"):
        found.load_into(other)


def test_it_changes_what_is_learned_and_is_repeatable(pretrained, tmp_path):
    plain = start(tmp_path / "plain", "method=supervised", "optim.epochs=1")
    once, again = (
        start(tmp_path / name, "method=supervised", "optim.epochs=1", f"init_from={pretrained}") for name in "ab"
    )
    assert differences(once, again) == []
    assert differences(plain, once)


def copy_of(pretrained, folder):
    return Path(shutil.copytree(pretrained, folder / "copy"))


@pytest.mark.parametrize("file", ["config.yaml", "summary.json", "stages/mean_teacher/last.pt"])
def test_a_run_that_lacks_a_file_is_named(pretrained, tmp_path, file):
    other = copy_of(pretrained, tmp_path)
    (other / file).unlink()
    with pytest.raises(InputError, match="init_from: .* (lacks what a finished run has|is gone)"):
        initial(settings("model.widths=[8,8]", f"init_from={other}"))


def test_other_weights_than_those_of_the_summary_are_refused(pretrained, tmp_path):
    other = copy_of(pretrained, tmp_path)
    state = torch.load(other / "stages/mean_teacher/last.pt", weights_only=True)
    checkpoints.save(other / "stages/mean_teacher/last.pt", {name: value + 1 for name, value in state.items()})
    origin = initial(settings("model.widths=[8,8]", f"init_from={other}"))
    with pytest.raises(InputError, match="is not what that run wrote"):
        origin.load_into(models.build(settings("model.widths=[8,8]").model, images(1, 8)))


def test_what_does_not_fit_is_refused_before_a_folder_is_made(tmp_path):
    first = start(tmp_path / "first", "method=supervised", "optim.epochs=1")
    wrong = ("model.widths=[8,8]", f"init_from={first}", "init_network=teacher")
    with pytest.raises(InputError, match="holds no teacher"):
        check(*wrong)
    check(*wrong[:2])


def test_a_completed_run_stays_so_when_what_it_started_from_is_gone(pretrained, tmp_path):
    other = copy_of(pretrained, tmp_path)
    path = start(tmp_path / "run", "method=supervised", "optim.epochs=1", f"init_from={other}")
    before = summary(path)
    shutil.rmtree(other)
    with pytest.raises(InputError, match="holds no run"):
        run.resume(path)
    assert summary(path) == before

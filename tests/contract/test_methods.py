"""What every method keeps. A new method is found here by itself."""

import json
import sys

import pytest
import torch

from helpers import compose, differences, one_and_two_ranks, points, start, summary, weights
from sdrun import methods, run
from sdrun.errors import InputError, Interrupted
from sdrun.models.backbone import Network
from sdrun.objectives.objective import Objective
from sdrun.storage import checkpoints

METHODS = methods.names()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {name: start(folder / name, f"method={name}") for name in METHODS}


@pytest.mark.parametrize("name", METHODS)
def test_it_composes_by_itself(name):
    assert compose(f"method={name}").method.name == name


@pytest.mark.parametrize("name", METHODS)
def test_its_settings_say_paper_idea_asymmetry_and_what_to_watch_for(name):
    text = sys.modules[methods.settings_class(name).__module__].__doc__ or ""
    for word in ("Paper:", "Idea:", "Asymmetry:", "Watch for:"):
        assert word in text


@pytest.mark.parametrize("name", METHODS)
def test_its_run_folder_keeps_the_contract(name, runs):
    path = runs[name]
    for file in ("config.yaml", "manifest.json", "metrics.jsonl", "summary.json", "run.log", "tensorboard"):
        assert (path / file).exists()
    found = summary(path)
    assert found["status"] == "completed"
    for key in ("method", "model", "dataset", "seed", "overrides", "wall_seconds", "metrics"):
        assert key in found
    for key in ("steps", "samples", "multiply_adds", "seconds"):
        assert found["compute"][key] > 0
        assert found["compute"][key] == pytest.approx(sum(stage.get(key, 0) for stage in found["stages"]))
    assert found["metrics"].keys() >= {f"test/{m}" for m in ("accuracy", "nll", "brier", "ece", "adaptive_ece", "aurc")}
    assert found["metrics"].keys() >= {"test/nll_calibrated", "val/accuracy", "val/temperature", "test/best/accuracy"}
    if any("/teacher." in key or "/average." in key for key in weights(path)):
        assert "test/student/accuracy" in found["metrics"] or "test/student/knn_accuracy" in found["metrics"]
    for stage in found["stages"]:
        assert stage.keys() >= {"name", "steps", "seconds", "samples_per_second", "metrics"}
        assert not stage["steps"] or stage.keys() >= {"samples", "multiply_adds"}
        assert (path / f"predictions/{stage['name']}.npz").exists()
        if stage["steps"]:
            for kind, digest in stage["sha256"].items():
                recorded = (path / f"stages/{stage['name']}/{kind}.pt.sha256").read_text()
                assert recorded.startswith(digest)


@pytest.mark.parametrize("name", METHODS)
def test_no_step_is_logged_twice(name, runs):
    found = [point[:2] + point[3:4] for point in points(runs[name])]
    assert len(found) == len(set(found))


@pytest.mark.parametrize("name", METHODS)
def test_teachers_are_recorded_and_kept_out_of_checkpoints(name, runs):
    stages = {stage["name"]: stage for stage in summary(runs[name])["stages"]}
    teachers = json.loads((runs[name] / "manifest.json").read_text())["teachers"]
    assert teachers.keys() == {stage for stage in stages if stages[stage]["steps"]}
    for entries in teachers.values():
        for entry in entries:
            assert entry["sha256"] == stages[entry["stage"]]["sha256"]["last"]
    sizes = {len(torch.load(file, weights_only=True)) for file in runs[name].glob("stages/*/last.pt")}
    assert len(sizes) == 1


@pytest.mark.parametrize("name", METHODS)
def test_no_gradient_reaches_a_teacher(name, tmp_path, monkeypatch):
    """A teacher of its own keeps out of training; one in the same forward pass gets no such gradient."""
    taught = []
    forward = torch.nn.Module.__call__

    def watch(module, *arguments, **options):
        output = forward(module, *arguments, **options)
        if isinstance(module, Objective) and hasattr(module, "teacher"):
            taught.append("network")
            for network in getattr(module.teacher, "networks", None) or [module.teacher.network]:
                assert not network.training
                assert all(not p.requires_grad and p.grad is None for p in network.parameters())
                own = {tensor.data_ptr() for tensor in (*module.student.parameters(), *module.student.buffers())}
                assert not own & {tensor.data_ptr() for tensor in (*network.parameters(), *network.buffers())}
        elif isinstance(module, Objective) and "hint" in output.terms:
            taught.append("exit")
            for term in ("distillation", "hint"):
                head = list(module.student.head.parameters())
                gradients = torch.autograd.grad(output.terms[term], head, retain_graph=True, allow_unused=True)
                assert all(gradient is None or not gradient.any() for gradient in gradients)
        elif isinstance(module, Objective) and "consistency" in output.terms:
            taught.append("view")
            gradient = torch.autograd.grad(output.terms["consistency"], output.logits, retain_graph=True)[0]
            num_student = len(arguments[0].unlabelled)
            assert gradient[-num_student:].any()
            assert not gradient[:-num_student].any()
        elif isinstance(module, Objective) and hasattr(module, "memory"):
            taught.append("memory")
            assert not module.memory.requires_grad
        elif isinstance(module, Network) and not torch.is_grad_enabled() and module.training:
            taught.append("example")
            assert not output.requires_grad
        return output

    monkeypatch.setattr(torch.nn.Module, "__call__", watch)
    start(tmp_path / "run", f"method={name}", "optim.epochs=1")
    has_teacher = "Asymmetry: none" not in (sys.modules[methods.settings_class(name).__module__].__doc__ or "")
    assert bool(taught) == has_teacher


@pytest.mark.parametrize("name", METHODS)
def test_it_resumes_bitwise(name, runs, tmp_path, monkeypatch):
    save, count = checkpoints.Checkpoints.save, [0]

    def save_and_stop(self, step, state):
        save(self, step, state)
        count[0] += 1
        if count[0] % 5 == 0:
            raise Interrupted(15)

    monkeypatch.setattr(checkpoints.Checkpoints, "save", save_and_stop)
    path = tmp_path / "run"
    with pytest.raises(Interrupted):
        start(path, f"method={name}", "checkpoint_seconds=0")
    for _ in range(50):
        try:
            run.resume(path)
            break
        except Interrupted:
            pass
    assert summary(path)["status"] == "completed"
    assert differences(runs[name], path) == []


@pytest.mark.parametrize("name", METHODS)
def test_bitwise_the_same_whatever_ran_before(name, runs, tmp_path):
    torch.manual_seed(123)
    torch.rand(7)
    assert differences(runs[name], start(tmp_path / "again", f"method={name}")) == []


@pytest.mark.parametrize("name", METHODS)
def test_two_ranks_train_as_one(name, tmp_path):
    """Without BatchNorm, whose statistics are each rank's own on a CPU, the loss is one rank's up to rounding."""
    one, two = one_and_two_ranks(tmp_path, f"method={name}", "optim.lr=0.02", "optim.epochs=2")
    assert len(one) > 2
    assert two == pytest.approx(one, rel=1e-4)


@pytest.mark.parametrize("name", METHODS)
def test_an_unknown_key_and_a_wrong_type_are_named(name):
    with pytest.raises(InputError, match="method.no_such_key: unknown key"):
        run.configuration.settings_from(compose(f"method={name}", "+method.no_such_key=1"))
    with pytest.raises(InputError, match="optim.lr: Value 'x'"):
        run.configuration.settings_from(compose(f"method={name}", "optim.lr=x"))

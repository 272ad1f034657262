"""Finished runs of a claim are recognised by their settings, whatever keys sdrun has got or lost since."""

import shutil
from pathlib import Path

import pytest
import yaml
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn, JobStatus
from hydra.types import RunMode
from omegaconf import OmegaConf

from sdrun import configuration, trust
from sdrun.choices import conf_folder
from sdrun.claims.folder import ClaimFolder
from sdrun.claims.verdicts import judged
from sdrun.comparison.runs import Run
from sdrun.compositions import Compositions
from sdrun.errors import InputError
from sdrun.storage import manifest
from sdrun.sweeps.recognition import require_same

RESULTS = Path(__file__).parents[2] / "docs/results"
HARDWARE = ("hardware.threads=1", "hardware.channels_last=true")
CLAIMS = ["born_again"]  # those that are decided

RECORDED = {
    "seed": 0,
    "log_every": 20,
    "method.name": "consistency",
    "method.preset": "freematch",
    "method.mask": "self_adaptive",
    "method.weight": 1.0,
    "dataset.root": "/somewhere",
    "dataset.mean": [0.286],
    "hardware.threads": 1,
    "init_from": "outputs/claims/c/pretrain/seed_0",
    "teacher_from": ["/somewhere/teachers/0", "/somewhere/teachers/1"],
}


@pytest.fixture
def launched(monkeypatch):
    """What a sweep would run, by the folders of the runs; none is."""
    places = []

    class Launcher:
        def launch(self, batch, initial_job_idx):
            places.extend(job[-1].removeprefix("hydra.sweep.subdir=") for job in batch)
            return [JobReturn(status=JobStatus.COMPLETED) for _ in batch]

    monkeypatch.setattr(Plugins, "instantiate_launcher", lambda *_, **__: Launcher())
    return places


def kept(claim):
    """A claim's runs as they lie in docs/results, where its sweep looks for them."""
    return Path(shutil.copytree(RESULTS / claim, f"outputs/claims/{claim}"))


def changed(run, group, **values):
    """A run as another version of sdrun would have recorded it; ... takes a key away."""
    settings = yaml.safe_load((run / "config.yaml").read_text())
    content = settings[group] | values
    settings[group] = {key: value for key, value in content.items() if value is not ...}
    (run / "config.yaml").write_text(yaml.safe_dump(settings))
    manifest.reseal(run)


def differs(recorded=RECORDED, defaults=None, **asked):
    """What is said of a run of which this is asked, ``__`` for a dot; nothing where it is the same."""
    wanted = {key: value for key, value in RECORDED.items() if key != "method.preset"}
    wanted |= {key.replace("__", "."): value for key, value in asked.items()}
    try:
        require_same(Run(Path("here"), {}, {}, recorded), wanted, lambda: defaults or {})
    except InputError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("claim", CLAIMS)
def test_no_run_of_the_results_is_made_again(called, launched, claim):
    path = kept(claim)
    (one,) = judged([ClaimFolder.open(path)])
    made = {f"{arm}/seed_{seed}" for arm, runs in one.runs.items() for seed in runs}
    code, out = called("-m", f"experiment=claim_{claim}", *HARDWARE)
    assert not made & set(launched)
    if one.is_decided or one.num_seeds == one.claim.most_seeds:
        assert (code, out, launched) == (0, "", [])


def test_a_key_that_came_since_must_have_its_default(called, launched):
    claim = kept("born_again")
    changed(claim / "baseline_x1/seed_0", "optim", momentum=...)
    changed(claim / "baseline_x1/seed_1", "method", was_there="once")
    changed(claim / "silent/seed_1", "optim", evaluate_every=...)
    code, out = called("-m", "experiment=claim_born_again", *HARDWARE)
    assert code == 2
    assert launched == []
    assert "silent/seed_1: was run with other settings: optim.evaluate_every is 10 now, of which it says nothing" in out


def test_settings_that_differ_are_named_with_both_values():
    message = "here: was run with other settings: method.weight was 1 and is 0.5 now; move it away, or the whole sweep"
    assert differs(method__weight=0.5) == message
    assert "method.mask was self_adaptive and is none now" in differs(method__mask="none")
    assert "and 2 more" in differs(seed=1, method__name="a", method__mask="b", method__weight=2, dataset__mean=[0.1])


def test_what_changes_no_measurement_may_differ():
    free = {"hardware__threads": 2, "hardware__new": 1, "dataset__root": None, "log_every": 1}
    assert not differs(**free, dataset__download=True, checkpoint_seconds=5, pictures=False)


def test_what_auto_became_is_not_compared():
    assert not differs(method__mask="auto")


def test_a_preset_may_become_values():
    assert not differs(method__preset="freematch")
    assert not differs(method__mask="self_adaptive", method__weight=1)
    assert "method.preset was freematch and is uda now" in differs(method__preset="uda")


def test_a_new_key_at_its_default_is_none():
    assert not differs(dataset__task="images", defaults={"dataset.task": "images"})
    assert not differs(dataset__task=None, defaults={"dataset.task": None})
    message = differs(dataset__task="text", defaults={"dataset.task": "images"})
    assert "dataset.task is text now, of which it says nothing" in message


def test_the_run_that_others_start_from_may_lie_in_another_folder():
    assert not differs(init_from="/elsewhere/pretrain/seed_0")
    assert "init_from was" in differs(init_from="/elsewhere/pretrain/seed_1")
    assert "init_from was" in differs(init_from="/elsewhere/plain/seed_0")
    assert "init_from was" in differs(init_from=None)


def test_the_runs_that_another_learns_from_may_be_named_from_elsewhere():
    assert not differs(teacher_from=["teachers/0", "teachers/1"])
    assert "teacher_from was" in differs(teacher_from=["teachers/0", "teachers/2"])
    assert "teacher_from was" in differs(teacher_from=["teachers/0"])
    assert "teacher_from was" in differs(teacher_from=[])


def test_what_a_run_holds_is_printable():
    assert "\\x1b" in differs({**RECORDED, "method.mask": "\x1b[2J"})


def test_compositions_are_hydra_s():
    trust.install()
    configuration.register()
    hydra = Hydra.create_main_hydra2("sdrun", create_config_search_path(str(conf_folder())))
    config = hydra.compose_config("config", ["experiment=claim_dino"], RunMode.MULTIRUN)
    compositions = Compositions(config, hydra.config_loader)
    line = ["experiment=claim_dino", "seed=3", "method=dino", "~optim.warmup", "+optim.more=[1,2]", "method.koleo=0.1"]
    composed = hydra.config_loader.load_sweep_config(config, line)
    whole = OmegaConf.masked_copy(composed, [key for key in composed if key != "hydra"])
    assert compositions.settings(line) == configuration.leaves(whole)
    assert compositions.settings(line)["dataset.seed"] == 3
    groups = {"method": "dino", "model": "cnn", "dataset": "fashion_mnist", "optim": "adamw", "hardware": "auto"}
    GlobalHydra.instance().clear()
    assert compositions.defaults(line) == configuration.defaults(groups)

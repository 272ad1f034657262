"""A stranger's settings run nothing, whichever way they are looked at."""

import pytest
from hydra._internal.utils import get_args_parser
from omegaconf import OmegaConf

from helpers import SMALL, compose
from sdrun import preflight
from sdrun.errors import InputError
from sdrun.trust import require_no_code

TOUCH = "{_target_: pathlib.Path.touch, self: {_target_: pathlib.Path, _args_: [marker]}}"
HOSTILE = {
    "callback": (f"callbacks: {{x: {TOUCH}}}", "hydra.callbacks.x._target_"),
    "callback of Hydra": (
        "callbacks: {x: {_target_: hydra.experimental.callbacks.PickleJobInfoCallback}}",
        "hydra.callbacks.x._target_",
    ),
    "opened": ("callbacks: {x: {_target_: builtins.open, file: marker, mode: w}}", "hydra.callbacks.x._target_"),
    "launcher": ("launcher: {_target_: pathlib.Path.touch, self: marker}", "hydra.launcher._target_"),
    "inside the launcher": (f"launcher: {{x: {TOUCH}}}", "hydra.launcher.x._target_"),
    "inside the sweeper": (f"sweeper: {{params: {TOUCH}}}", "hydra.sweeper.params._target_"),
    "in a list": (f"sweeper: {{params: [{TOUCH}]}}", "hydra.sweeper.params.0._target_"),
    "target by interpolation": ("launcher: {_target_: '${oc.env:HOME}'}", "hydra.launcher._target_"),
    "made by a resolver": ("callbacks: {x: '${oc.decode:${hydra.job.name}}'}", "hydra.callbacks.x"),
    "made elsewhere": (
        "launcher: {x: '${hydra.verbose}'}\n  verbose: '${oc.create:{_target_:builtins.open,file:marker}}'",
        "hydra.verbose",
    ),
    "all callbacks": ("callbacks: '${oc.create:{x:1}}'", "hydra.callbacks"),
    "file of a log": (
        "hydra_logging: {handlers: {console: {class: logging.FileHandler, filename: marker}}}",
        "hydra.hydra_logging.handlers.console.class",
    ),
    "factory of a handler": (
        "job_logging: {root: {handlers: [x]}, handlers: {x: {(): pathlib.Path.touch, self: marker}}}",
        "hydra.job_logging.handlers.x.()",
    ),
    "factory of a formatter": (
        "hydra_logging: {formatters: {simple: {(): builtins.open, file: marker, mode: w}}}",
        "hydra.hydra_logging.formatters.simple.()",
    ),
    "class of a formatter": (
        "hydra_logging: {formatters: {simple: {class: antigravity.X}}}",
        "hydra.hydra_logging.formatters.simple.class",
    ),
    "imported for logging": (
        "hydra_logging: {handlers: {console: {stream: 'ext://antigravity.x'}}}",
        "hydra.hydra_logging.handlers.console.stream",
    ),
    "filter": ("hydra_logging: {filters: {x: {name: 'ext://antigravity.x'}}}", "hydra.hydra_logging.filters.x.name"),
    "logging in parts": (
        "hydra_logging: {formatters: {simple: {datefmt: '${oc.env:X}://antigravity.x'}}}",
        "hydra.hydra_logging.formatters.simple.datefmt",
    ),
    "environment": ("job: {env_set: {PATH: .}}", "hydra.job.env_set"),
    "Hydra's files elsewhere": ("output_subdir: ../marker", "hydra.output_subdir"),
}


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.fixture(scope="module")
def plain():
    """What ``sdrun`` alone composes, Hydra's node included; without its types, for plugins have none either."""
    config = preflight.composed(get_args_parser().parse_args([]))[0]
    return OmegaConf.to_container(config, resolve=False)


@pytest.mark.parametrize("name", HOSTILE)
def test_what_names_code_is_refused(name, plain):
    node, message = HOSTILE[name]
    require_no_code(OmegaConf.create(plain))
    config = OmegaConf.merge(plain, OmegaConf.create(f"hydra:\n  {node}\n"))
    with pytest.raises(InputError) as error:
        require_no_code(config)
    assert str(error.value).startswith(f"{message}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["callback", "file of a log"])
def test_an_experiment_runs_nothing_however_it_is_looked_at(name, called, tmp_path):
    node, message = HOSTILE[name]
    (tmp_path / "own/experiment").mkdir(parents=True)
    (tmp_path / "own/experiment/x.yaml").write_text(f"# @package _global_\nhydra:\n  {node}\n")
    before = files(tmp_path)
    assert called("--config-dir", "own", "experiment=x", "--help")[0] == 0  # which composes nothing
    for ask in ([], ["-m"], ["--cfg", "hydra"], ["--info", "config"]):
        code, text = called(*ask, "--config-dir", "own", "experiment=x")
        assert code == 2, ask
        assert f"sdrun: {message}: " in text
        assert "Traceback" not in text
    assert files(tmp_path) == before


def test_hydras_own_help_runs_nothing_either(called, tmp_path):
    touched = "+hydra.callbacks={x:{_target_:pathlib.Path.touch,self:marker}}"
    assert called("--hydra-help", touched)[0] == 2
    logged = "+hydra.hydra_logging.handlers.console={class:logging.FileHandler,filename:marker}"
    code, text = called("--hydra-help", logged)
    assert (code, files(tmp_path)) == (2, [])
    assert "choose none, disabled or stdout" in text


def test_a_primary_file_of_another_folder_imports_nothing(called, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil/__init__.py").write_text("open('marker', 'w')")
    for path in ("pkg://evil", "${oc.env:WHERE}", "${x}kg://evil"):
        (tmp_path / "config.yaml").write_text(f"x: p\nhydra: {{searchpath: ['{path}']}}\n")
        code, text = called("--config-path", str(tmp_path))
        assert (code, text.count("\n")) == (2, 1)
        assert text.startswith(f"sdrun: hydra.searchpath: {path} may be a package")
    assert called("hydra.searchpath=[pkg://evil]")[0] == 2
    assert called("--config-path", "pkg://evil", "--hydra-help")[0] == 2
    assert "marker" not in files(tmp_path)


def test_arms_of_a_claim_run_nothing(called, tmp_path):
    (tmp_path / "own/experiment").mkdir(parents=True)
    claim = (
        "# @package _global_\ndefaults: [override /hydra/sweeper: claim]\n"
        "hydra:\n  sweep: {dir: claim}\n"
        "  sweeper: {statement: x, silent: [], trials: 1, method: [%s]}\n"
    )
    arm = "+hydra.job_logging.handlers.x={class:logging.FileHandler,filename:marker}"
    (tmp_path / "own/experiment/x.yaml").write_text(claim % f'"{arm}"')
    code, text = called("-m", "--config-dir", "own", "experiment=x", *SMALL)
    assert (code, text.startswith("sdrun: hydra.job_logging.handlers.x.class: logging.FileHandler")) == (2, True)
    assert not (tmp_path / "marker").exists()
    assert not list(tmp_path.glob("claim/*/seed_*"))


def test_targets_are_refused_where_they_would_do_nothing(called):
    for override in ("+method._target_=builtins.open", "+_target_=builtins.open", "+model.x={_target_:a}"):
        with pytest.raises(InputError, match="no code runs from settings"):
            compose(override)


def test_what_sdrun_and_hydra_ship_is_taken():
    for choice in ("hydra/job_logging=stdout", "hydra/hydra_logging=disabled", "hydra/sweeper=claim"):
        assert compose(choice)
    assert compose("hydra.run.dir='${oc.env:HOME}/${method.name}'", "hydra.launcher={}")
    assert "_target_" not in OmegaConf.to_yaml(compose())


def test_a_sweep_is_asked_for_by_the_command_line(called, tmp_path):
    code, text = called("hydra.mode=MULTIRUN")
    assert (code, files(tmp_path)) == (2, [])
    assert "hydra.mode: a sweep is asked for by: sdrun -m" in text


def test_variables_are_set_in_the_shell(called):
    for override, message in (("env_copy=[HOME]", "env_set: set"), ("env_copy=[NOT_THERE]", "env_copy: 'NOT_THERE'")):
        code, text = called(f"hydra.job.{override}")
        assert code == 2
        assert text.startswith(f"sdrun: hydra.job.{message}")

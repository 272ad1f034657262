"""The command line as a user has it, in processes of its own.

Those of ``sdrun`` are fresh interpreters, whose imports take longer than a small run; ``forked`` ones have done them.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
import venv
from contextlib import suppress
from pathlib import Path
from unittest.mock import patch

import fresh
import pytest
import torch
from faults import child

from helpers import SMALL, start
from sdrun import job, methods

ROOT = Path(__file__).parents[1]
SDRUN = [sys.executable, "-m", "sdrun"]
SHORT = ["method=supervised", *SMALL, "optim.max_steps=3"]


def sdrun(*arguments, **options):
    return subprocess.run([*SDRUN, *arguments], capture_output=True, text=True, timeout=240, **options)


@pytest.fixture(scope="module")
def forked(tmp_path_factory):
    """Starts ``sdrun ARGUMENTS`` in a child of this process, which has made a run and imported all that it needs."""
    start(tmp_path_factory.mktemp("warm") / "run", *SHORT, base=())
    return lambda *arguments: child.forked(lambda: child.sdrun(*arguments), limit=240)


ASKING = (
    ["--version"],
    ["--help"],
    ["--cfg", "job"],
    ["--cfg", "job", "method=supervised", "model=resnet20"],
    ["--info", "searchpath"],
    ["--shell-completion", "query=bash"],
    ["-sc", "install=bash"],
    ["--cfg", "job", "method=layerwise"],
    ["resume", "--help"],
    ["evaluate", "--help"],
)


def test_asking_does_not_import_torch(tmp_path, monkeypatch):
    monkeypatch.setenv("COMP_LINE", "sdrun method=")
    monkeypatch.setenv("COMP_POINT", "13")
    for arguments, asked in zip(ASKING, fresh.ended(*ASKING), strict=True):
        assert (asked.code, asked.heavy) == (0, set()), arguments
        assert asked.out, arguments
    assert not list(tmp_path.iterdir())


def test_completion_offers_choices(forked, monkeypatch):
    monkeypatch.setenv("COMP_LINE", "sdrun method=")
    monkeypatch.setenv("COMP_POINT", "13")
    offered = set(forked("-sc", "query=bash").end().out.split())
    assert {f"method={name}" for name in methods.names()} < offered
    assert "method=fixmatch" in offered


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["generation=3"], "did you mean generations?"),
        (["method.temperature=-1"], "method.temperature: must be above 0"),
        (["generations=0"], "generations: must be at least 1"),
        (["method=supervised", "generations=3"], "generations: has no effect with method=supervised"),
        (["method=nonsense"], "there are: born_again, compress, consistency, continual, continual_der,"),
        (["dataset=mnist", "dataset.root=missing"], "dataset.download=true"),
        (["hydra.run.dir=taken"], "taken: is a file where a folder should go"),
        (["hydra.run.dir=taken/below"], "taken: is a file where a folder should go"),
        (["-m", "seed=0,1", "method.alpha=0.5,nan"], "method.alpha: must be a finite number, but is nan"),
        (["--config-dir", "broken", "experiment=x"], "malformed YAML"),
        (["-m", "--cfg", "job", "seed=0,1"], "--cfg: shows the settings of one run; leave --multirun out"),
        (["resum"], "did you mean resume?"),
        (["born_again", "generations=3"], "born_again: unknown verb; did you mean method=born_again? See: sdrun help"),
        (["--resume", "taken"], "--resume: unknown option; see: sdrun help"),
        (["seed=1", "-m", "optim.lr=0.1,0.2"], "optim.lr=0.1,0.2: stands apart from the other settings; give options"),
        (["resume", "taken"], "holds no run"),
        (["evaluate", "taken"], "holds no run"),
        (["dataset.val_size=9999"], "dataset.val_size: leaves nothing"),
    ],
)
def test_bad_input_exits_with_2_in_ten_lines_and_makes_nothing(arguments, message, tmp_path, forked, monkeypatch):
    (tmp_path / "taken").touch()
    (tmp_path / "broken/experiment").mkdir(parents=True)
    (tmp_path / "broken/experiment/x.yaml").write_text("seed: [1\nlr: 2\n")
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    done = forked(*arguments).end()
    assert done.code == 2, done.err
    assert message in done.err
    assert len(done.err.splitlines()) <= 10
    assert "Traceback" not in done.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_device_that_is_not_here_exits_with_2_in_one_line_and_makes_nothing(tmp_path):
    done = sdrun("hardware.device=cuda", env={**os.environ, "CUDA_VISIBLE_DEVICES": ""})
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "hardware.device: no CUDA device is here" in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_broken_file_exits_with_2_and_makes_nothing(tmp_path, forked):
    (tmp_path / "data").mkdir()
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"data/{name}-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x09abc")
    done = forked("dataset=fashion_mnist", "dataset.root=data").end()
    assert done.code == 2
    assert "train-images-idx3-ubyte has 1 dimensions instead of 3; fetch it again" in done.err
    assert not (tmp_path / "outputs").exists()


def test_a_run_ends_with_a_table_its_folder_and_the_tensorboard_command(tmp_path, forked):
    done = forked("method=born_again", *SMALL, "optim.max_steps=3", "generations=2").end()
    assert done.code == 0, done.err
    (folder,) = (tmp_path / "outputs/born_again/digits").iterdir()
    for word in (
        "generation_0",
        "generation_1",
        "ensemble",
        "accuracy",
        "NLL",
        "ECE",
        "difference",
        "One seed cannot tell",
        folder.name,
    ):
        assert word in done.out
    assert f"TensorBoard  sdrun tensorboard outputs/born_again/digits/{folder.name}\n" in done.out
    assert (folder / ".hydra/overrides.yaml").exists()
    assert "\x1b[" not in done.out


def test_the_first_generation_is_the_supervised_run_of_the_same_seed(tmp_path, forked):
    born, plain = ["method=born_again", "generations=1", "hydra.run.dir=born"], [SHORT[0], "hydra.run.dir=plain"]
    for overrides in (born, plain):
        assert forked(*SHORT[1:], *overrides).end().code == 0
    one = torch.load(tmp_path / "born/stages/generation_0/last.pt", weights_only=True)
    other = torch.load(tmp_path / "plain/stages/supervised/last.pt", weights_only=True)
    assert all(torch.equal(one[name], other[name]) for name in one)


SWEEP = ("hydra.sweep.dir=sweep", "hydra/launcher=serial")
JOBS = [f"{number:04}-supervised-seed={number // 2}-lr={('1e+30', '0.1')[number % 2]}" for number in range(4)]


def test_a_failing_job_of_a_sweep_lets_the_others_finish_and_equals_single_runs(tmp_path, forked):
    done = forked("-m", *SHORT, "log_every=1", "seed=0,1", "optim.lr=1e30,0.1", *SWEEP).end()
    assert done.code == 1
    summaries = [json.loads((tmp_path / f"sweep/{job}/summary.json").read_text()) for job in JOBS]
    assert [found["status"] for found in summaries] == ["failed", "completed", "failed", "completed"]
    assert "lower optim.lr" in summaries[0]["error"]
    assert f"2 of 4 runs failed: {JOBS[0]}, {JOBS[2]}\nTry these again by: sdrun resume sweep\n" in done.err
    again = forked("-m", *SHORT, "seed=5", *SWEEP).end()
    assert again.code == 2
    assert "sweep holds a sweep already; go on with it by: sdrun resume sweep" in again.err
    assert (tmp_path / "sweep/multirun.yaml").read_text().count("seed=5") == 0
    assert "Traceback" not in done.err
    alone = forked(*SHORT, "log_every=1", "seed=1", "optim.lr=0.1", "hydra.run.dir=alone").end()
    assert alone.code == 0
    found = json.loads((tmp_path / "alone/summary.json").read_text())
    assert found["metrics"] == summaries[3]["metrics"]


def test_four_runs_at_once_have_four_folders(tmp_path, forked):
    started = [forked(*SHORT) for _ in range(4)]
    assert [process.end().code for process in started] == [0] * 4
    folders = list((tmp_path / "outputs/supervised/digits").iterdir())
    assert len(folders) == 4
    results = {json.dumps(json.loads((folder / "summary.json").read_text())["metrics"]) for folder in folders}
    assert len(results) == 1


def test_a_folder_is_never_overwritten(tmp_path, forked):
    assert forked(*SHORT, "hydra.run.dir=mine").end().code == 0
    before = (tmp_path / "mine/summary.json").read_bytes()
    done = forked(*SHORT, "hydra.run.dir=mine").end()
    assert done.code == 2
    assert "mine holds a run already; go on with it by: sdrun resume mine" in done.err
    assert (tmp_path / "mine/summary.json").read_bytes() == before


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_saves_and_says_how_to_go_on(tmp_path, name, code, forked):
    long = ["method=supervised", *SMALL, "optim.epochs=100000", "optim.schedule=constant", "hydra.run.dir=run"]
    process = forked(*long)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run/metrics.jsonl").exists() or not (tmp_path / "run/metrics.jsonl").stat().st_size:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.kill(process.pid, getattr(signal, name))
    done = process.end()
    assert done.code == code
    assert "Go on with: sdrun resume run" in done.out
    assert json.loads((tmp_path / "run/manifest.json").read_text())["status"] == "interrupted"
    assert len(list((tmp_path / "run/stages/supervised").glob("step_*.pt"))) == 1


def test_a_full_disk_is_told_in_one_line_and_the_run_goes_on_later(tmp_path, forked):
    def limited():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (30000, resource.RLIM_INFINITY))
        return child.sdrun(*SHORT, "model.widths=[32,64]", "hydra.run.dir=run")

    done = child.done(limited)
    assert done.code == 1, done.err
    assert len(done.err.splitlines()) == 1
    assert "make room, then: sdrun resume run" in done.err
    assert "Traceback" not in done.err
    assert forked("resume", "run").end().code == 0
    assert json.loads((tmp_path / "run/summary.json").read_text())["status"] == "completed"


def test_the_wheel_works_from_another_folder(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    venv.create(tmp_path / "clean", with_pip=False)
    python = tmp_path / "clean/bin/python"
    packages = next((tmp_path / "clean/lib").glob("python*/site-packages"))
    shutil.unpack_archive(wheel, packages, "zip")
    # The dependencies are lent by the environment of the tests; sdrun itself is only in the clean one.
    lent = [path for path in sys.path if path.endswith("site-packages")]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(packages), *lent]),
    }
    where = subprocess.run(
        [python, "-c", "import sdrun; print(sdrun.__file__)"], capture_output=True, text=True, env=environment
    )
    assert str(packages) in where.stdout
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = subprocess.run(
        [python, "-m", "sdrun", *SHORT], capture_output=True, text=True, cwd=elsewhere, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert (elsewhere / "outputs/supervised/digits").is_dir()


def test_a_terminal_sees_a_bar(tmp_path, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    long = ("method=supervised", *SMALL, "optim.epochs=100")  # so that it is redrawn while it trains
    process, terminal = child.on_terminal(lambda: child.sdrun(*long))
    seen = b""
    with suppress(OSError):  # the other end is closed
        while part := os.read(terminal, 65536):
            seen += part
    os.close(terminal)
    assert process.end().code == 0
    text = seen.decode()
    assert "━" in text
    assert "samples/s" in text
    assert "supervised" in (next((tmp_path / "outputs/supervised/digits").iterdir()) / "run.log").read_text()


def test_a_rerun_from_a_pickle_is_refused(called):
    code, text = called("--experimental-rerun", "outputs/config.pickle")
    assert code == 2
    assert "use sdrun resume" in text


def test_tracebacks_are_shown_on_request(forked):
    code = "from sdrun import job; print(job.wants_traceback)"
    for word in ("0", "1"):
        environment = {**os.environ, "HYDRA_FULL_ERROR": word}
        asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
        assert asked.stdout == f"{word == '1'}\n"
    wrong = [*SHORT, "optim.lr=1e30", "log_every=1"]
    assert "Traceback" not in forked(*wrong).end().err
    with patch.object(job, "wants_traceback", True):
        assert "Traceback" in forked(*wrong).end().err


def test_torchrun_cannot_start_a_sweep(called, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    code, text = called("-m", "seed=0,1")
    assert code == 2
    assert "torchrun cannot start a sweep" in text


def test_the_sweep_of_an_experiment_is_checked_before_its_first_job(tmp_path, called):
    (tmp_path / "mine/experiment").mkdir(parents=True)
    params = "# @package _global_\nhydra:\n  sweeper:\n    params:\n      generations: 1,2,0\n"
    (tmp_path / "mine/experiment/x.yaml").write_text(params)
    code, text = called("-m", "experiment=x", "--config-dir", "mine")
    assert code == 2
    assert "generations: must be at least 1, but is 0" in text
    assert not (tmp_path / "outputs").exists()


def test_a_reader_that_has_seen_enough_is_no_error():
    done = subprocess.run(f"{sys.executable} -m sdrun --help | head -1", shell=True, capture_output=True, text=True)
    assert done.stdout.startswith("sdrun: does self-distillation help")
    assert done.stderr == ""

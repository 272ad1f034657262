"""The example package, as it is installed: sdrun finds it by its entry point, and it keeps the contract."""

import os
import subprocess
import sys
from pathlib import Path

from labs import FEW

from helpers import manifest, summary

EXAMPLE = Path(__file__).parents[2] / "examples/own_lab"
BOTH = """
import sys

from sdrun import cli

for words in ({run}, ["check"]):
    sys.argv = ["sdrun", *words]
    code = cli.main()
    assert code == 0, code
"""


def test_it_is_found_where_it_is_installed_and_keeps_the_contract(tmp_path):
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--target", site]
    done = subprocess.run([*pip, EXAMPLE], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    asked = [
        "method=patient",
        "dataset=stripes",
        "model=wide",
        *FEW,
        f"hydra.run.dir={tmp_path / 'run'}",
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", BOTH.format(run=asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [stage["name"] for stage in summary(tmp_path / "run")["stages"]] == ["first", "second"]
    assert manifest(tmp_path / "run")["plugins"].keys() == {"own_lab"}
    told = done.stdout[done.stdout.index("\nmethod=patient") + 1 :].splitlines()
    assert max(map(len, told)) <= 80
    assert sum(" ok " in f"{line} " for line in told) == 20
    assert not list(EXAMPLE.glob("**/*.egg-info"))

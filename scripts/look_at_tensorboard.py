"""Open TensorBoard on runs in a headless Chromium, check that it shows each run once, and take screenshots.

python scripts/look_at_tensorboard.py RUNS_FOLDER PICTURES_FOLDER; needs playwright and a Chromium (CHROMIUM=path).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from sdrun.comparison.folders import find
from sdrun.comparison.view import is_shown

WIDTH, HEIGHT = 1600, 1000
LOADED = 15
"""Seconds until TensorBoard has read what there is."""
DRAWN, PATIENCE = 15_000, 600_000
"""Milliseconds: until a page has drawn what it has got; what a busy machine takes for one at most."""


def main(runs: str, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    everything = find([runs])
    shown, finished = [run for run in everything.runs if is_shown(run)], len(everything.finished)
    command = [sys.executable, "-m", "sdrun", "tensorboard", runs, "--port", "0", "--host", "127.0.0.1"]
    board = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert board.stdout
        said = board.stdout.readline()
        address = said.partition(" at ")[2].partition(";")[0]
        assert address, said
        time.sleep(LOADED)
        with sync_playwright() as playwright:
            path = os.environ.get("CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.set_default_timeout(PATIENCE)
            for tab in ("timeseries", "scalars", "images", "text", "hparams"):
                page.goto("about:blank")
                page.goto(f"{address}#{tab}")
                page.wait_for_load_state("networkidle")
                page.wait_for_timeout(DRAWN)
                page.screenshot(path=pictures / f"{tab}.png")
            rows = _hparams_rows(page)
            browser.close()
        names, dots = _ask(f"{address}data/runs"), _dots(address)
    finally:
        board.terminate()
        board.wait()
    print(f"{len(names)} runs of {len(shown)}; HParams has {rows} of {finished}; curves of one point: {dots}")
    sys.exit((len(names), rows, dots) != (len(shown), finished, []))


def _dots(address: str) -> list[str]:
    """Curves that are no more than a dot."""
    dots = []
    for run, tags in _ask(f"{address}data/plugin/scalars/tags").items():
        for tag in tags:
            points = _ask(f"{address}data/plugin/scalars/scalars?run={quote(run)}&tag={quote(tag)}")
            dots += [f"{run} {tag}"] * (len(points) < 2)
    return dots


def _ask(address: str) -> Any:
    return json.load(urllib.request.urlopen(address, timeout=20))


def _hparams_rows(page: Page) -> int:
    """How many runs the table says it holds."""
    text = page.evaluate(
        """() => {
            const texts = [];
            const walk = node => {
                if (node.shadowRoot) walk(node.shadowRoot);
                for (const child of node.childNodes) {
                    if (child.nodeType === 3) texts.push(child.textContent.trim());
                    else if (!['STYLE', 'SCRIPT'].includes(child.nodeName)) walk(child);
                }
            };
            walk(document.body);
            return texts.filter(Boolean).join('\\n');
        }"""
    )
    return len(set(re.findall(r"^([^/\n]+ seed=\d+[^/\n]*)$", text, re.MULTILINE)))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

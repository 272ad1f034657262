"""Open TensorBoard on runs in a headless Chromium, check that HParams holds every run once, and take screenshots.

python scripts/look_at_tensorboard.py RUNS_FOLDER PICTURES_FOLDER; needs playwright and a Chromium (CHROMIUM=path).
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from sdrun.comparison.runs import find

WIDTH, HEIGHT = 1600, 1000


def main(runs: str, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    num = len(find([runs]).finished)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "sdrun", "tensorboard", runs, "--port", str(port), "--host", "127.0.0.1"]
    board = subprocess.Popen(command)
    try:
        _wait(f"http://127.0.0.1:{port}/data/environment")
        with sync_playwright() as playwright:
            path = os.environ.get("CHROMIUM") or shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            for tab in ("timeseries", "scalars", "images", "hparams"):
                page.goto("about:blank")
                page.goto(f"http://127.0.0.1:{port}/#{tab}")
                page.wait_for_timeout(8000)
                page.screenshot(path=pictures / f"{tab}.png")
            shown = _hparams_rows(page)
            browser.close()
    finally:
        board.terminate()
        board.wait()
    print(f"HParams shows {shown} runs of {num}")
    sys.exit(shown != num)


def _hparams_rows(page: Page) -> int:
    """How many runs the table says it holds."""
    text = page.evaluate(
        """() => {
            const found = [];
            const walk = node => {
                if (node.shadowRoot) walk(node.shadowRoot);
                for (const child of node.childNodes) {
                    if (child.nodeType === 3) found.push(child.textContent.trim());
                    else if (!['STYLE', 'SCRIPT'].includes(child.nodeName)) walk(child);
                }
            };
            walk(document.body);
            return found.filter(Boolean).join('\\n');
        }"""
    )
    return len(set(re.findall(r"^([^/\n]+ seed=\d+[^/\n]*)$", text, re.MULTILINE)))


def _wait(address: str) -> None:
    for _ in range(120):
        with suppress(OSError):
            urllib.request.urlopen(address, timeout=2).read()
            return
        time.sleep(0.5)
    raise SystemExit("TensorBoard did not start")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

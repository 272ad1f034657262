"""Screenshots of a report: wide and on a phone, light and dark. python scripts/look_at_report.py REPORT PICTURES_FOLDER

Needs playwright and a Chromium (CHROMIUM=path). Fails where the page is wider than its window or asks the network.
"""

import os
import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZES = {"wide": (1400, 1000), "phone": (390, 844)}


def main(report: Path, pictures: Path) -> None:
    pictures.mkdir(parents=True, exist_ok=True)
    problems = []
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for name, (width, height) in SIZES.items():
            for scheme in ("light", "dark"):
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
                asked: list[str] = []
                page.on("request", lambda request, asked=asked: asked.append(request.url))
                page.goto(report.resolve().as_uri())
                page.screenshot(path=pictures / f"{name}-{scheme}.png", full_page=True)
                needed = page.evaluate("document.documentElement.scrollWidth")
                if needed > width:
                    problems.append(f"{name}: the page is {needed} pixels wide")
                problems += [f"{name}: asked for {url}" for url in asked[1:]]
        browser.close()
    print("\n".join(problems) or "fine")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""Draw the page of a scan as PNG, in Debian's Chromium: page_picture.py SCAN.html OUT.png [CONTAINER]. The container of this position is opened."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SIZE = {"width": 1440, "height": 900}


def main() -> int:
    """Write the picture and return 0."""
    browser = shutil.which("chromium")
    if browser is None:
        raise SystemExit("This needs Debian's package chromium (scripts/install-test-services).")
    opened = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    with sync_playwright() as engine:
        window = engine.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = window.new_page(viewport=SIZE, color_scheme="light")
        page.goto(Path(sys.argv[1]).resolve().as_uri())
        page.get_by_role("button", name="USD/month").click()
        page.locator("summary").nth(opened).click()
        page.mouse.move(0, 0)
        page.screenshot(path=sys.argv[2])
        window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The page of a scan in a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from outside.scanned import document, entry, resources, withheld

from upid.cli.outputs.page.render import render_page
from upid.services.scan import ContainerKey, Trail

BROWSER = shutil.which("chromium")
playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="this needs chromium: Debian's package of that name (scripts/install-test-services)"
)

HOSTILE = "<img src=http://127.0.0.1:9/x onerror=console.error(1)>"


class Opened(NamedTuple):
    """A page, what was requested for it, and what its console said."""

    page: Any
    requests: list[str]
    said: list[str]

    def names(self) -> list[str]:
        return list(self.page.locator("tbody.entry:visible td.who b").all_inner_texts())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as engine:
        found = engine.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opened]:
    file = tmp_path / "scan.html"
    entries = [
        entry(), entry(name="api", savings_usd_per_month=99.0, current=resources(0.1, None, 2**20, None)), withheld(namespace="ops"),
        entry(name=HOSTILE, savings_usd_per_month=-3.0),
    ]  # fmt: skip
    row = np.linspace(0.05, 0.3, 84, dtype=np.float32)
    trail = Trail(1_700_000_000, 7200, row, row * 2, row * 2**28, row * 2**29)
    file.write_bytes(render_page(document(*entries), {("prod", ContainerKey("shop", "Deployment", "web", "uid-web", "app")): trail}))
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    found = Opened(page, [], [])
    page.on("request", lambda request: found.requests.append(request.url))
    page.on("console", lambda message: found.said.append(message.text))
    page.on("pageerror", lambda error: found.said.append(str(error)))
    page.goto(file.as_uri())
    yield found
    page.close()


def test_it_opens_without_a_request_or_a_word_in_the_console(opened: Opened) -> None:
    assert opened.names() == ["web", "api", "new", HOSTILE]
    assert len(opened.requests) == 1
    assert opened.requests[0].startswith("file://")
    assert opened.said == []


def test_plots_are_seen_once_a_container_is_opened(opened: Opened) -> None:
    plot = opened.page.locator("svg.plot").first
    assert not plot.is_visible()

    opened.page.locator("summary").first.click()

    assert plot.is_visible()
    assert plot.bounding_box()["width"] > 300
    line = plot.locator("path.mean")
    assert line.evaluate("line => getComputedStyle(line).stroke") == "rgb(47, 109, 181)"
    assert line.evaluate("line => line.getTotalLength()") > 500
    for wide in ("document.documentElement", "document.querySelector('.scroll')"):
        assert opened.page.evaluate(f"{wide}.scrollWidth <= {wide}.clientWidth")


def test_a_click_on_a_column_sorts_by_it_and_another_one_turns_it_round(opened: Opened) -> None:
    head = opened.page.get_by_role("button", name="USD/month")

    head.click()
    falling = opened.names()
    head.click()

    # What is not known stands last both ways.
    assert falling == ["api", "web", HOSTILE, "new"]
    assert opened.names() == [HOSTILE, "web", "api", "new"]
    assert opened.page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"


def test_words_status_and_namespace_filter(opened: Opened) -> None:
    opened.page.fill("#search", "API shop")
    assert opened.names() == ["api"]
    assert opened.page.locator("#count").inner_text() == "1 of 4 containers"

    opened.page.fill("#search", "")
    opened.page.select_option("#status", "withheld")
    assert opened.names() == ["new"]

    opened.page.select_option("#namespace", "shop")
    assert opened.names() == []
    assert opened.said == []


def test_of_very_many_containers_the_first_are_laid_out_and_all_are_there(browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "many.html"
    file.write_bytes(render_page(document(*(entry(name=f"web-{i}", savings_usd_per_month=float(i)) for i in range(600))), {}))
    page = browser.new_page()
    page.goto(file.as_uri())

    assert page.locator("tbody.entry:visible").count() == 500
    page.get_by_role("button", name="USD/month").click()
    assert page.locator("tbody.entry:visible td.who b").first.inner_text() == "web-599"
    page.get_by_role("button", name="Show all").click()
    assert page.locator("tbody.entry:visible").count() == 600
    assert page.locator("#count").inner_text() == "600 of 600 containers"
    page.close()


def test_it_is_read_without_scripts(browser: Any, opened: Opened) -> None:
    plain = browser.new_context(java_script_enabled=False)
    page = plain.new_page()
    page.goto(opened.page.url)

    assert page.locator("tbody.entry").count() == 4
    assert not page.locator("#search").is_visible()
    page.locator("summary").first.click()
    assert page.locator("svg.plot").first.is_visible()
    plain.close()

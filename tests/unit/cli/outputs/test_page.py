from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from outside.scanned import document, entry, resources, scaling, together, volume, withheld

from upid.cli.outputs.page.plots import Levels, range_bar, scale_top, time_plot
from upid.cli.outputs.page.render import render_page
from upid.services.scan import ContainerKey, Trail

NAN = float("nan")
HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m"


def trail(*values: float) -> Trail:
    row = np.array(values, dtype=np.float32)
    return Trail(1_700_000_000, 7200, row, row * 2, row * 2**30, row * 2**31)


def page(found: dict[str, Any], **trails: Trail) -> str:
    """The page, with trails by the names of Deployments in `shop` of `prod`."""
    of = {("prod", ContainerKey("shop", "Deployment", name, f"uid-{name}", "app")): one for name, one in trails.items()}
    return render_page(found, of).decode()


class Tags(HTMLParser):
    """What a browser would make of the page: its tags with their attributes, in order, and whether they are closed as they were opened."""

    VOID = frozenset({"meta", "input", "br", "path", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_a_limit_that_is_taken_away_is_told() -> None:
    assert "no limit recommended" in page(document(entry()))


def test_every_container_stands_there_with_its_values_and_reasons_in_words() -> None:
    text = page(document(entry(), withheld()))

    assert "1 → <b>250m</b>" in text
    assert "limit 2 → <b>none</b>" in text
    assert "CPU use is above 240m for 1 % of the time." in text
    assert "no_data: " in text
    assert len(re.findall('<tbody class="entry', text)) == 2


def test_autoscalers_and_volumes_stand_on_the_page_and_behind_their_containers() -> None:
    text = page(document(entry(scaling=scaling(), storage=[volume(claim=HOSTILE)])))

    assert "<td>4 to 9 → 2 to 14</td><td>5.2 → 4.5</td><td>15.24</td><td>High.</td>" in text
    assert "<td>100Gi → 109Gi</td><td>-0.72</td>" in text
    assert "<h4>Autoscaler</h4><p>4 to 9 → 2 to 14, saves 15.24 USD a month. Low. High.</p>" in text
    assert "<p>100Gi → 109Gi, costs 0.72 USD a month. It held 86Gi.</p>" in text
    assert Tags(text).open == []
    assert [tag for tag, _ in Tags(text).found].count("script") == 1


@pytest.mark.parametrize("key", ["namespace", "name", "kind", "container", "status", "withheld_code"])
def test_a_name_never_becomes_markup(key: str) -> None:
    text = page(document(withheld(**{key: HOSTILE}), cluster=HOSTILE))

    tags = Tags(text)
    assert tags.open == []
    assert [tag for tag, _ in tags.found].count("script") == 1
    assert "\x1b" not in text


def test_nothing_is_loaded_from_anywhere_and_no_other_script_may_run() -> None:
    tags = Tags(page(document(entry()), web=trail(0.1, 0.2))).found

    (policy,) = [attributes["content"] or "" for tag, attributes in tags if attributes.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not [a for _, attributes in tags for a in attributes if a in {"src", "href", "style", "action", "onclick"}]


def test_usage_over_time_is_drawn_where_it_is_known_and_its_absence_is_told() -> None:
    drawn, bare = page(document(entry()), web=trail(0.1, NAN, 0.2)), page(document(entry()))

    assert drawn.count('<svg class="plot"') == 2
    assert '<svg class="plot"' not in bare
    assert "No usage over time is at hand." in bare


def test_a_page_of_several_clusters_has_their_totals_and_tells_their_containers_apart() -> None:
    text = page(together(document(entry(), cluster="prod"), document(entry(), cluster="edge")))

    assert "<td>edge</td>" in text
    assert ">edge/shop/</span><b>web</b>" in text


def test_what_could_not_be_read_is_told() -> None:
    found = document(entry())
    found["summary"] |= {"errors": [{"code": "x", "subject": "namespace a<b", "detail": "gone"}], "warnings": ["Slow."]}

    assert "<li>namespace a&lt;b: gone</li>" in page(found)
    assert "<li>Slow.</li>" in page(found)


def test_the_same_document_gives_the_same_page() -> None:
    assert page(document(entry()), web=trail(0.1, 0.2)) == page(document(entry()), web=trail(0.1, 0.2))


def test_a_plot_breaks_where_there_is_no_sample() -> None:
    plot = time_plot(Levels(1.0, None, 1.0, None), [0.5, 0.5, NAN, 0.5], [1.0, 1.0, NAN, 1.0], start=0, bin_seconds=3600, resource="cpu")

    (mean,) = re.findall(r'class="mean" d="([^"]*)"', plot)
    # Two points on one line, and one by itself. The top is 1.08: half a core lies 120 x 0.5 / 1.08 = 56 above the bottom at 128.
    assert mean == "M124 72l134 0M523 72h2"


def test_a_limit_far_above_all_else_is_not_drawn_but_told() -> None:
    levels = Levels(1.0, 64.0, 0.5, None)

    assert scale_top(levels, 0.4) == pytest.approx(1.08)
    assert 'class="limit"' not in time_plot(levels, [0.4], [0.4], start=0, bin_seconds=60, resource="cpu")
    assert "limit now 64" in range_bar(levels, {"p50": 0.1, "p95": 0.2, "p99": 0.3, "max": 0.4}, "cpu")


def test_nothing_set_and_nothing_used_is_drawn_all_the_same() -> None:
    nothing = Levels.of(entry(current=resources(None, None, None, None), recommended=resources(None, None, None, None)), "memory")

    assert "<svg" in time_plot(nothing, [0.0, 0.0], [0.0, 0.0], start=0, bin_seconds=60, resource="memory")
    assert "<svg" in range_bar(nothing, {"p50": 0.0, "p95": 0.0, "p99": 0.0, "max": 0.0}, "memory")

"""docs/algorithms.md tells of every algorithm, method, detector and metric that the API lists, as the catalogue has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from upid.engine.anomalies.detectors import DETECTORS
from upid.engine.confidence.scoring import METRICS
from upid.engine.forecasting.methods import METHODS
from upid.services.algorithms.registry import ALGORITHMS, Algorithm, Parameter
from upid.services.series import MOST_FITTED, MOST_FITTED_OTHERWISE

TEXT = (Path(__file__).parents[3] / "docs" / "algorithms.md").read_text()
ROWS = {line.split("|")[1].strip(): line for line in TEXT.splitlines() if line.startswith("| `")}


def taken(parameter: Parameter) -> str:
    """How the table has a parameter: its name, its default, and its unit where it has one."""
    default = str(parameter.default).lower() if parameter.kind == "boolean" else f"{parameter.default}"
    unit = f" {parameter.unit}" if parameter.unit not in {"", "1"} else ""
    return f"{parameter.name} {default}{unit}"


def row_of(algorithm: Algorithm) -> str:
    """The beginning of the row that the table must have."""
    parameters = ", ".join(taken(each) for each in algorithm.parameters) or "nothing"
    return f"| `{algorithm.id}` | {algorithm.version} | {parameters} | {algorithm.output} | {algorithm.cost} |"


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=list(ALGORITHMS))
def test_every_algorithm_has_its_row(algorithm: Algorithm) -> None:
    wanted, found = row_of(algorithm), ROWS.get(f"`{algorithm.id}`", "")
    assert found.startswith(wanted), f"docs/algorithms.md needs: {wanted}"
    assert found.removeprefix(wanted).strip(" |")  # where its formula stands


@pytest.mark.parametrize("name", [*METHODS, *DETECTORS, *(metric.name for metric in METRICS)])
def test_every_method_detector_and_metric_is_told_of(name: str) -> None:
    assert f"`{name}`" in TEXT


def test_no_row_is_of_what_is_not_there() -> None:
    table = TEXT.split("## By id", 1)[1].split("\n\n", 3)[2]
    assert [line.split("`")[1] for line in table.splitlines()[2:]] == list(ALGORITHMS)


def test_the_bounds_are_those_of_the_code() -> None:
    for method, most in [*MOST_FITTED.items(), ("others", MOST_FITTED_OTHERWISE)]:
        assert any(line.startswith((f"| `{method}` | {most:,} |", f"| {method} | {most:,} |")) for line in TEXT.splitlines())

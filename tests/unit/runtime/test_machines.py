"""Whole machines, run in this process; all at once, since some of them wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from machines.cases import CASES, Case
from machines.running import ended, engine_of, services_in

from upid.bootstrap import Services

NAMES = {title: f"case{number}" for number, title in enumerate(CASES)}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    services = services_in(tmp_path_factory.mktemp("machines"))
    engine = engine_of(services, {NAMES[title]: case.definition for title, case in CASES.items()})
    for title, case in CASES.items():
        services.workflows.start(NAMES[title], "x", case.payload)
    engine.start()
    yield services
    engine.stop()
    services.database.close()


@pytest.mark.parametrize(("title", "case"), CASES.items(), ids=list(CASES))
def test_a_machine_ends_as_step_functions_would_end_it(services: Services, title: str, case: Case) -> None:
    end = ended(services, NAMES[title])

    assert case.right(end), end

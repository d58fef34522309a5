from __future__ import annotations

from pathlib import Path

import pytest

from upid.settings import Settings


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = Settings.from_environment({})

    assert (settings.home, settings.port, settings.host, settings.schedules) == (Path(".upid").resolve(), 8080, "127.0.0.1", True)


def test_variables_are_taken() -> None:
    settings = Settings.from_environment({"PORT": "9000", "UPID_HOME": "/data", "UPID_WORKERS": "3", "UPID_SCHEDULES": "off"})

    assert (settings.port, settings.home, settings.workers, settings.schedules) == (9000, Path("/data"), 3, False)


@pytest.mark.parametrize(("name", "text"), [("PORT", "http"), ("PORT", "65536"), ("UPID_WORKERS", "0"), ("UPID_TOKEN_SECONDS", "-5")])
def test_a_number_that_makes_no_sense_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{name}='{text}' must be a whole number"):
        Settings.from_environment({name: text})

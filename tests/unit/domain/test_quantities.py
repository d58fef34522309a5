from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from upid.domain.quantities import format_cpu, format_memory, parse_quantity


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("100m", 0.1), ("1", 1), ("0.5", 0.5), (".5", 0.5), ("1e3", 1000), ("1E3", 1000), ("1E", 1e18), ("128Mi", 134217728), ("1Gi", 2**30),
        ("1G", 1e9), ("250n", 2.5e-7), ("3u", 3e-6), ("1Ki", 1024), ("1.5Gi", 1610612736), (2, 2), (0.25, 0.25), ("+5k", 5000),
    ],
)  # fmt: skip
def test_quantities_are_read_as_the_api_server_reads_them(text: str | float, value: float) -> None:
    assert parse_quantity(text) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize("text", ["", "abc", "1 Gi", "1gi", "m", "1e", "--1", "1KiB", "NaN"])
def test_what_the_api_server_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no Kubernetes quantity"):
        parse_quantity(text)


@pytest.mark.parametrize(("cores", "text"), [(0.25, "250m"), (2, "2"), (0.0101, "11m"), (1.5, "1500m"), (0.1 + 0.2, "300m")])
def test_cpu_is_written_in_millicores_rounded_up(cores: float, text: str) -> None:
    assert format_cpu(cores) == text


@pytest.mark.parametrize(("size", "text"), [(2**29, "512Mi"), (2**31, "2Gi"), (2**20 + 1, "2Mi"), (1000, "1000"), (2**30 + 1, "1025Mi")])
def test_memory_is_written_in_mebibytes_rounded_up(size: float, text: str) -> None:
    assert format_memory(size) == text


@given(st.floats(2**20, 2**50))
def test_written_memory_is_never_less_than_what_was_asked(size: float) -> None:
    assert size <= parse_quantity(format_memory(size)) <= size + 2**20


@given(st.floats(1e-6, 1e5))
def test_written_cpu_is_never_less_than_what_was_asked(cores: float) -> None:
    assert parse_quantity(format_cpu(cores)) >= cores * (1 - 1e-9) - 1e-9


@pytest.mark.parametrize("text", ["1e30", "10E", "100Ei", "1e999999999", f"1{'0' * 300}"])
def test_a_quantity_beyond_2_to_63_is_capped_there(text: str) -> None:
    assert parse_quantity(text) == 2.0**63 - 1024
    assert int(parse_quantity(text)) < 2**63


def test_a_quantity_of_a_vanishing_size_is_nothing() -> None:
    assert parse_quantity("1e-999999999") == 0

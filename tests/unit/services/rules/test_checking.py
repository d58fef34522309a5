"""What is refused before it runs, and where."""

from __future__ import annotations

import pytest

from upid.services.rules.checking import check, faults_of
from upid.services.rules.explaining import explained, template_faults
from upid.services.rules.units import Unit


@pytest.mark.parametrize(
    ("text", "code", "position", "suggestion"),
    [
        ("", "syntax", (1, 1), None), ("cpu.p95 >", "syntax", (1, 9), None), ("a $ b", "syntax", (1, 3), None),
        ("cpu.p95 > 1.0 &&\n  cpu.reqest > 1.0", "unknown_feature", (2, 3), "cpu.request"), ("cpu > 1.0", "unknown_feature", (1, 1), "cpu.p99"),
        ("cpu.p95 > memory.max", "unit_mismatch", (1, 11), None), ("cpu.p95 + memory.p95 > 1.0", "unit_mismatch", (1, 11), None),
        ("cpu.p95 / cpu.request > cpu.p95", "unit_mismatch", (1, 25), None), ("cpu.p95", "wrong_type", (1, 1), None),
        ("(1 + 1) * cpu.p95 > 1.0", "wrong_type", (1, 2), "2.0 instead of 2"), ("restarts.count > 0.5", "wrong_type", (1, 1), "double(restarts.count)"),
        ("cpu.p95 && true", "wrong_type", (1, 1), None), ("workload.name == 1", "wrong_type", (1, 18), None),
        ("workload.name < 'b'", "wrong_type", (1, 1), None), ("cpu.p95 % 2.0 > 1.0", "wrong_type", (1, 1), None),
        ("[1].exists(x, x > 0)", "unknown_function", (1, 2), None), ("size(workload.name) > 1", "unknown_function", (1, 1), None),
        ("workload.name.matches('a+')", "unknown_function", (1, 1), None), ("cpu['p95'] > 1.0", "not_supported", (1, 1), None),
        ("cpu.p95 == null", "not_supported", (1, 12), "!has(feature)"), ("1u < 2u", "not_supported", (1, 1), "1"),
        ("9223372036854775808 > 1", "number_out_of_range", (1, 1), None), ("cpu.p95 > 1e999", "number_out_of_range", (1, 11), None),
        ("workload.name == 'a\\q'", "syntax", (1, 18), None), ("x" * 2001, "too_long", (1, 1), None),
        ("(" * 31 + "true" + ")" * 31, "too_deep", (1, 1), None), ("!" * 70 + "true", "too_deep", None, None),
        (" && ".join(["true"] * 62), "too_deep", None, None),
    ],
)  # fmt: skip
def test_a_faulty_condition_is_told_with_its_place(text: str, code: str, position: tuple[int, int] | None, suggestion: str | None) -> None:
    (fault,) = faults_of(text)
    assert (fault.code, fault.suggestion) == (code, suggestion)
    assert position in {None, tuple(fault.position)}


@pytest.mark.parametrize(
    "text",
    [
        "cpu.p95 / cpu.request < 0.2 && restarts.count_7d == 0", "2 * cpu.p95 < cpu.request + 1", "-cpu.p95 < -1.0", "workload.kind in ['Job', 'CronJob']",
        "has(cpu.limit) ? cpu.p95 > cpu.limit : cpu.p95 > 1", "double(restarts.count) / samples.hours > 0.1", "cpu.p95 in [1, 2.5]",
        "cost.monthly / cpu.request > 10.0 // USD per core", "workload.namespace.startsWith(r'kube-')",
    ],
)  # fmt: skip
def test_a_sound_condition_can_be_evaluated(text: str) -> None:
    assert check(text).features
    assert not faults_of(text)


def test_an_integer_beside_a_double_is_told_with_what_to_write() -> None:
    hints = check("2 * cpu.p95 < 3").hints
    assert [(hint.suggestion, hint.position.column) for hint in hints] == [("2.0", 1), ("3.0", 15)]


def test_units_multiply_and_divide() -> None:
    usd, cores = Unit.of("USD/month"), Unit.of("cores")
    assert str(usd.times(cores, -1)) == "USD/cores/month"
    assert str(cores.times(cores)) == "cores^2"
    assert cores.times(cores, -1) == Unit.of("1")


def test_explanations_show_values_and_name_what_is_no_feature() -> None:
    values = {"cpu.p95": 0.123456, "memory.max": 2.0**31, "replicas": 3, "cpu.limit": None}
    assert explained("{cpu.p95} {memory.max} {replicas} { cpu.limit }", values.get) == "0.1235 2147483648 3 unknown"
    (fault,) = template_faults("{cpu.p95} of {cpu.rekuest}")
    assert (fault.code, fault.position.column) == ("unknown_placeholder", 14)

from __future__ import annotations

import pytest

from upid.demo.prometheus.parser import Parser
from upid.demo.prometheus.syntax import Aggregation, Binary, Call, Matcher, Number, QueryError, Selector


def parse(text: str) -> object:
    return Parser(text, start=100.0, end=200.0).parse()


def test_a_selector_has_its_name_and_matchers() -> None:
    assert parse("""m{a="x", b!='y"', c=~`z.*`, d!~"\\\\d+",}""") == Selector((
        Matcher("__name__", "=", "m"), Matcher("a", "=", "x"), Matcher("b", "!=", 'y"'), Matcher("c", "=~", "z.*"), Matcher("d", "!~", "\\d+"),
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("m", Selector((Matcher("__name__", "=", "m"),))),
        ('{__name__="m"}', Selector((Matcher("__name__", "=", "m"),))),
        ("m[1h30m] offset 1d", Selector((Matcher("__name__", "=", "m"),), 5400.0, 86400.0)),
        ("m[300] @ 17", Selector((Matcher("__name__", "=", "m"),), 300.0, at=17.0)),
        ("m @ end()", Selector((Matcher("__name__", "=", "m"),), at=200.0)),
        ("m # a remark\n", Selector((Matcher("__name__", "=", "m"),))),
    ],
)
def test_ranges_offsets_and_moments_are_read(text: str, selector: Selector) -> None:
    assert parse(text) == selector


def test_functions_and_aggregations_nest() -> None:
    inside = Call("rate", Selector((Matcher("__name__", "=", "m"),), 300.0))

    assert parse("sum by (a, b) (rate(m[5m]))") == Aggregation("sum", inside, ("a", "b"))
    assert parse("sum(rate(m[5m])) without (a)") == Aggregation("sum", inside, ("a",), without=True)
    assert parse("quantile(0.5, rate(m[5m]))") == Aggregation("quantile", inside, parameter=0.5)


def test_operators_bind_as_in_prometheus() -> None:
    one, two, three = Number(1.0), Number(2.0), Number(3.0)

    assert parse("1 + 2 * 3") == Binary("+", one, Binary("*", two, three))
    assert parse("(1 + 2) * 3") == Binary("*", Binary("+", one, two), three)
    assert parse("1 - 2 - 3") == Binary("-", Binary("-", one, two), three)
    assert parse("1 > bool 2") == Binary(">", one, two, is_bool=True)
    assert parse("-0x10") == Binary("*", Number(-1.0), Number(16.0))


def test_matching_is_read() -> None:
    found = parse("a * on (x) group_left (y) b")

    assert isinstance(found, Binary)
    assert (found.operator, found.on, found.many, found.taken) == ("*", ("x",), "left", ("y",))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unexpected 'end of input'"), ("m{", "label matching"), ("m{a=b}", "label matching"), ("m{a~'b'}", "unexpected character"), ("rate(m)", "expected type range vector"),
        ("rate(5)", "expected type range vector"), ("m m", "unexpected 'm'"), ("foo(m[5m])", "unknown function"), ("sum(m", r"expected '\)'"), ("m[x]", "bad duration"),
        ("(m)[5m", "expected"), ("{}", "at least one non-empty matcher"), ('{a!="x"}', "at least one non-empty matcher"), ("sum(m) [5m]", "behind a selector only"),
        ('m{a="\\q"}', "bad string"), ("sum by (1) (m)", "list of labels"), ("quantile(m, m)", "expected type scalar"), ("m @ x", "behind @"),
    ],
)  # fmt: skip
def test_what_is_not_understood_is_an_error_with_words(text: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        parse(text)

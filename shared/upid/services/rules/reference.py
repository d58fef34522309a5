"""The reference of rules as Markdown: language, features, categories, built-in rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from upid.engine.rules.catalogue import FEATURES
from upid.services.rules.catalogue import built_ins, categories
from upid.services.rules.checking import FUNCTIONS, check
from upid.services.rules.trees import tree_body

LANGUAGE = """# Rules

A rule is data: a condition (`when`), what it does where the condition holds (`then`), a text that explains it, and a scope. Conditions are written in the
[Common Expression Language](https://cel.dev), the language of Kubernetes' own admission policies, over the features below.

- Operators: `+ - * / %`, `< <= > >= == !=`, `in [constants]`, `&& || !`, `condition ? a : b`. No macros, no loops, nothing that runs code.
- Counts are integers, all else that is measured is a double. The two do not mix: write `double(restarts.count)`. An integer constant beside a double is
  taken as a double, and `validate` suggests writing `2.0` for `2`.
- Units are held: cores are never compared with bytes. A constant has the unit of what it is beside.
- A feature that was not measured or is not set, and a null, is missing. `error || true` is true and `error && false` is false; whatever else has a missing
  part is neither true nor false. A rule never fires on it; the row is reported as inconclusive.
- Doubles follow IEEE 754: `0.0 / 0.0` is not a number, which is below and above nothing. Integers have 64 bits; what does not fit is an error.
- At most 2000 characters, 400 operations, 60 within each other.

`then` is one of: `recommendation` (an action to take), `adjustment` (a recommended value times a factor, held within bounds, or a limit taken away), `veto`
(what is set now stays), `tag`. `scope` narrows a rule within its tenant: to clusters, namespaces, labels, and a label `selector` as kubectl takes it.

## What rules do

Every analysis applies the enabled rules of its cluster, as they are when it begins, and `upid scan` the built-in ones. Conditions read what sizing
recommends. Adjustments act first and vetoes last, each in the order of their ids. An adjustment never takes memory below what sizing asks for, CPU below its
floor or a limit below its request, raises no request above the largest node, and leaves alone what sizing leaves alone (leaks, missing data, requests that an
autoscaler scales on). A value that lands within 5 % above or 10 % below what is set now leaves it. A veto is a safety rule: where its condition can not be
told, it acts too, so ask with `has()` for what may not be there. Each recommendation tells the rules that fired with their versions, values, and before and
after; the analysis tells how often each fired, could not be told, and changed something.
"""


def reference() -> str:
    """Return the whole reference."""
    features = [(f"`{f.name}`", f.kind, f.unit or "-", f.meaning, f.source) for f in FEATURES]
    functions = [(f"`{name}`", meaning) for name, meaning in FUNCTIONS.items()]
    parts = [LANGUAGE, "## Functions\n", _table(("function", "meaning"), functions), "## Features\n"]
    parts += ["`stored` ones are computed from what is collected; `given` ones only rows that are given with a test have.\n"]
    parts += [_table(("feature", "type", "unit", "meaning", "source"), features), "## Built-in rules\n"]
    for category in categories().values():
        titles = dict(category.lines)
        rules = [
            (
                f"`{rule.id}`",
                titles[rule.line],
                rule.draft.severity,
                f"`{rule.draft.when.replace('|', chr(92) + '|')}`",
                rule.draft.then.kind,
            )
            for rule in built_ins().values()
            if rule.draft.category == category.id
        ]
        parts += [f"### {category.title}\n", _table(("rule", "covers", "severity", "when", "then"), rules)]
    return "\n".join(parts)


def built_in_trees() -> str:
    """Return the parsed conditions of the built-in rules by id, as JSON, a line each."""
    lines = [f'"{rule.id}": {json.dumps(tree_body(check(rule.draft.when).node))}' for rule in built_ins().values()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

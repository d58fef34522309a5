"""From CEL text to a plain tree of its operations: the grammar is cel-python's, the tree is ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from celpy.celparser import CELParseError, CELParser
from lark import Token, Tree

from upid.services.rules.faults import Position, refuse

LONGEST: Final = 2000  # characters
DEEPEST: Final = 60  # operations within each other
BRACKETS: Final = 30
LARGEST: Final = 400  # operations
OPERATORS: Final = {
    "relation_lt": "<", "relation_le": "<=", "relation_gt": ">", "relation_ge": ">=", "relation_eq": "==", "relation_ne": "!=", "relation_in": "in",
    "addition_add": "+", "addition_sub": "-", "multiplication_mul": "*", "multiplication_div": "/", "multiplication_mod": "%",
}  # fmt: skip
_TEXT: Final = re.compile(r"""[rR]?("|')(?:\\.|(?!\1).)*\1""")


@dataclass(frozen=True, slots=True)
class Syntax:
    """An operation and its operands. `name`: an operator, `?`, `negative`, `name` (text = the dotted name), `call` (text = the function), `literal`, `list`."""

    name: str
    position: Position
    parts: tuple[Syntax, ...] = ()
    text: str = ""


def read(text: str) -> Syntax:
    """Return the tree of a text; ExpressionError for one that is no CEL, too long, or too deep."""
    if len(text) > LONGEST:
        raise refuse("too_long", f"An expression has at most {LONGEST} characters.", Position(1, 1))
    if _depth(_TEXT.sub("", text)) > BRACKETS:
        raise refuse("too_deep", f"Brackets stand at most {BRACKETS} deep within each other.", Position(1, 1))
    try:
        tree = CELParser().parse(text)
    except CELParseError as error:
        raise _syntax_fault(text, error) from None
    reader = _Reader()
    return reader.read(tree, 0)


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _syntax_fault(text: str, error: CELParseError) -> Exception:
    if not text.strip():
        return refuse("syntax", "The expression is empty.", Position(1, 1))
    line, column = error.line or 1, error.column or 1
    lines = text.splitlines()
    rest = lines[line - 1][column - 1 :] if line <= len(lines) else ""
    if re.match(r"-\d", rest):
        return refuse("syntax", "A minus in front of a number is its sign here.", Position(line, column), f"- {rest[1:].split()[0]}")
    near = f"near {rest[:20]!r}" if rest.strip() else "at the end: something is missing"
    return refuse("syntax", f"This is no expression {near}.", Position(line, column))


class _Reader:
    """Turns the parser's tree, in which every operation is wrapped in all that bind looser, into a plain one."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, tree: Any, depth: int) -> Syntax:
        """Return the plain tree of the parser's; ExpressionError for one that is too deep, too large, or not supported."""
        while isinstance(tree, Tree) and len(tree.children) == 1 and tree.data in _WRAPPERS:
            tree = tree.children[0]
        self.count += 1
        if depth > DEEPEST:
            raise refuse("too_deep", f"Operations stand at most {DEEPEST} deep within each other.", _position(tree))
        if self.count > LARGEST:
            raise refuse("too_large", f"An expression has at most {LARGEST} operations.", _position(tree))
        found = self._operation(tree, depth + 1)
        if found is None:
            raise refuse("not_supported", "Rules have no maps, objects, indices or bytes.", _position(tree))
        return found

    def _operation(self, tree: Tree[Token], depth: int) -> Syntax | None:
        data, children, place = str(tree.data), [child for child in tree.children if child is not None], _position(tree)
        if data == "expr":
            return Syntax("?", place, self._all(children, depth))
        if data in {"conditionalor", "conditionaland"}:
            return Syntax("||" if data == "conditionalor" else "&&", place, self._all(children, depth))
        if data in {"relation", "addition", "multiplication"}:
            return self._binary(children, place, depth)
        if data == "unary":
            name = "!" if children[0].data == "unary_not" else "negative"  # type: ignore[union-attr] # the grammar has a tree there
            return Syntax(name, place, (self.read(children[1], depth),))
        return self._primary(data, children, place, depth)

    def _all(self, children: list[Any], depth: int) -> tuple[Syntax, ...]:
        return tuple(self.read(child, depth) for child in children)

    def _binary(self, children: list[Any], place: Position, depth: int) -> Syntax:
        operator, right = children
        return Syntax(OPERATORS[str(operator.data)], place, (self.read(operator.children[0], depth), self.read(right, depth)))

    def _primary(  # noqa: PLR0911 one return for each kind of operand reads best
        self, data: str, children: list[Any], place: Position, depth: int
    ) -> Syntax | None:
        match data:
            case "literal":
                return Syntax("literal", place, text=f"{children[0].type} {children[0]}")
            case "ident":
                return Syntax("name", place, text=str(children[0]))
            case "member_dot":
                owner = self.read(children[0], depth)
                return Syntax("name", owner.position, text=f"{owner.text}.{children[1]}") if owner.name == "name" else None
            case "member_dot_arg":
                arguments = (self.read(children[0], depth), *self._listed(children[2:], depth))
                return Syntax("call", place, arguments, f".{children[1]}")
            case "ident_arg":
                return Syntax("call", place, self._listed(children[1:], depth), str(children[0]))
            case "list_lit":
                return Syntax("list", place, self._listed(children, depth))
        return None

    def _listed(self, children: list[Any], depth: int) -> tuple[Syntax, ...]:
        return self._all(children[0].children, depth) if children else ()


_WRAPPERS: Final = frozenset(
    {"expr", "conditionalor", "conditionaland", "relation", "addition", "multiplication", "unary", "member", "primary", "paren_expr"}
)


def _position(tree: Any) -> Position:
    """Return where the first token of a tree stands."""
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, Token):
            return Position(node.line or 1, node.column or 1)
        stack.extend(reversed([child for child in getattr(node, "children", ()) if child is not None]))
    return Position(1, 1)

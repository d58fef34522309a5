"""A group of namespaces that a source refuses together, in part or as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from upid.domain.errors import RefusedError, UnavailableError
from upid.domain.inventory import Container, Inventory, Pod, Workload
from upid.ports.metrics_source import ContainerEvents, NamespaceUsage, PodContainer, UsageBlock, Window
from upid.services.asking import ask

WINDOW = Window(1_700_000_100, 1_700_001_300, 300)
NAMES = ("bank", "shop", "zoo")
LISTED = Inventory(
    tuple(Workload(name, "Deployment", "web", f"uid-{name}", 1, (Container("app"),)) for name in NAMES),
    tuple(Pod(name, "web-1", f"pod-{name}", f"uid-{name}") for name in NAMES),
    (),
    NAMES,
)


@dataclass
class Source:
    """Answers for namespaces, but raises for a group that holds one of those in `fails`."""

    fails: dict[str, Exception]
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def check(self) -> None:
        """Be well."""

    def usage(self, groups: Sequence[Sequence[str]], window: Window) -> Iterator[NamespaceUsage]:
        for group in groups:
            self.asked.append(tuple(group))
            for name in group:
                if name in self.fails:
                    raise self.fails[name]
            keys = [PodContainer(name, "web-1", "app") for name in group]
            block = UsageBlock(keys, np.ones((len(keys), window.steps)))
            yield NamespaceUsage(
                tuple(group), window, block, block, UsageBlock([], np.empty((0, window.steps))), ContainerEvents({}, {}, {}), (), ("slow",)
            )


def test_a_group_that_is_answered_is_asked_once() -> None:
    source = Source({})
    found = ask(source, NAMES, WINDOW, LISTED)
    assert source.asked == [NAMES]
    assert [key.workload_uid for key in found.chunk.keys] == ["uid-bank", "uid-shop", "uid-zoo"]
    assert (found.warnings, found.refused) == (("slow",), ())


def test_one_that_is_refused_leaves_the_others_and_is_named_with_the_reason() -> None:
    source = Source({"shop": RefusedError("too many samples")})
    found = ask(source, NAMES, WINDOW, LISTED)
    assert source.asked == [NAMES, ("bank",), ("shop",), ("zoo",)]
    assert [key.workload_uid for key in found.chunk.keys] == ["uid-bank", "uid-zoo"]
    assert (found.warnings, found.refused) == (("slow",), (("shop", "too many samples"),))
    assert found.chunk.cpu_cores.shape == (2, 4)


@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_a_group_of_which_nothing_can_be_had_is_refused(names: tuple[str, ...]) -> None:
    source = Source(dict.fromkeys(names, RefusedError("no")))
    with pytest.raises(RefusedError, match="no"):
        ask(source, names, WINDOW, LISTED)


def test_a_source_that_fails_in_passing_holds_up_the_group() -> None:
    source = Source({"shop": UnavailableError("try later")})
    with pytest.raises(UnavailableError, match="try later"):
        ask(source, NAMES, WINDOW, LISTED)
    assert source.asked == [NAMES]
    with pytest.raises(UnavailableError, match="try later"):
        ask(Source({"bank": RefusedError("no"), "shop": UnavailableError("try later")}), NAMES, WINDOW, LISTED)


def test_without_patience_one_that_fails_in_passing_is_given_up_too() -> None:
    found = ask(Source({"shop": UnavailableError("try later")}), NAMES, WINDOW, LISTED, patient=False)
    assert found.refused == (("shop", "try later"),)
    assert [key.workload_uid for key in found.chunk.keys] == ["uid-bank", "uid-zoo"]

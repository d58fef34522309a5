"""`upid bench`: the main operations measured, as JSON."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from upid.cli.benching.analyze import BenchmarkError, analyze
from upid.cli.benching.medians import medians
from upid.cli.benching.starts import starts
from upid.cli.benching.usage import Size


class What(StrEnum):
    """What is measured."""

    ALL = "all"
    ANALYZE = "analyze"
    ENGINE = "engine"
    START = "start"
    STORE = "store"
    RIGHTSIZING = "rightsizing"


class Source(StrEnum):
    """What an analysis reads."""

    PROFILES = "profiles"
    HISTORY = "history"


Measured = Annotated[
    What,
    typer.Argument(
        help="analyze: stored usage to stored recommendations. engine: right-sizing of arrays in memory. start: `upid --help` and each API group's import. "
        "store: usage written and read, a year of one container, and all of it by node. "
        "rightsizing: the sizing rule against the published ones, on traces."
    ),
]
Containers = Annotated[int, typer.Option(min=1, max=100_000, help="Workloads of one container and one pod.")]
Days = Annotated[int, typer.Option(min=1, max=93, help="Days of usage.")]
Step = Annotated[int, typer.Option(min=15, max=3600, metavar="SECONDS", help="Seconds between two samples.")]
From = Annotated[Source, typer.Option("--from", help="profiles: as every scheduled analysis; history: every stored sample again.")]
Repeat = Annotated[
    int | None, typer.Option(min=1, max=100, help="Runs, each in a fresh process; figures are their medians.", show_default="1, all: 3")
]
Traces = Annotated[list[Path] | None, typer.Option("--traces", metavar="PATH...", help="rightsizing: traces (npz), or folders of them.")]
More = Annotated[list[Path] | None, typer.Argument(metavar="[PATH]...", help="rightsizing: more traces.", hidden=True)]
FitDays = Annotated[float, typer.Option(min=0.01, max=93, help="rightsizing: days that every rule sees.")]
HorizonDays = Annotated[float, typer.Option(min=0.01, max=31, help="rightsizing: days after them that it is judged on.")]
RequestsTo = Annotated[Path | None, typer.Option("--requests", metavar="OUT.npz", help="rightsizing: where to write every request.")]
Json = Annotated[bool, typer.Option("--json", help="On one line.")]


def bench(
    what: Measured = What.ALL, more: More = None, *, containers: Containers = 10_000, days: Days = 7, step: Step = 300, source: From = Source.PROFILES,
    repeat: Repeat = None, traces: Traces = None, fit_days: FitDays = 7, horizon_days: HorizonDays = 1, requests: RequestsTo = None,
    on_one_line: Json = False,
) -> None:  # fmt: skip
    """Measure the platform on this machine and print JSON. Data is made in a temporary folder first, which is not measured and takes longer."""
    paths = [*(traces or []), *(more or [])]
    if bool(paths) != (what is What.RIGHTSIZING):
        raise typer.BadParameter("rightsizing, and nothing else, is measured on --traces.")
    size = Size(containers, days, step)
    try:
        if what is What.ANALYZE:
            told: Any = medians(analyze(size, source, repeat=repeat or 1))
        elif what is What.STORE:
            from upid.cli.benching.stores import stores

            told = medians(stores(size, repeat=repeat or 5))
        elif what is What.ENGINE:
            from upid.cli.benching.engine import engine

            told = medians([engine(size) for _ in range(repeat or 1)])
        elif what is What.START:
            told = starts(repeat or 5)
        elif what is What.RIGHTSIZING:
            from upid.cli.benching.rightsizing import Yardstick, rightsizing

            told = rightsizing(paths, Yardstick(fit_days, horizon_days, requests))
        else:
            told = {
                "analyze": [medians(analyze(size, each, repeat=repeat or 3)) for each in Source],
                "start": starts(repeat or 3),
            }
    except BenchmarkError as error:
        print(f"upid: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    print(json.dumps(told, indent=None if on_one_line else 2))

"""The `upid` command. A subcommand's module is imported only when that subcommand is called."""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from upid.domain.errors import AppError, InvalidError

EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_INTERRUPTED: Final = 130
LINES: Final = 6  # of an error message


class Lazy(NamedTuple):
    """A subcommand: where its function is, and what it does in one line."""

    module: str
    function: str
    help: str


COMMANDS: Final = MappingProxyType({
    "scan": Lazy("upid.cli.scan", "scan", "Read a cluster now and tell what every workload needs. Needs no server."),
    "demo": Lazy("upid.cli.demo", "demo", "Run the platform with a demo cluster: collect, analyze, print the result, keep serving."),
    "serve": Lazy("upid.cli.serve", "serve", "Run the platform: API, workflows and schedules in one process."),
    "bench": Lazy("upid.cli.bench", "bench", "Measure the main operations and print them as JSON."),
    "export": Lazy("upid.cli.transfer", "export", "Write all data of a home into an archive: a directory, or a .tar file."),
    "import": Lazy("upid.cli.transfer", "read_in", "Read an archive into a home, embedded or on AWS."),
    "retention": Lazy("upid.cli.retention", "retention", "Show or change how long usage is kept."),
    "erase": Lazy("upid.cli.erase", "erase", "Delete all clusters of a tenant and their usage for good."),
    "demo-cluster": Lazy("upid.cli.demo", "demo_cluster", "Serve only the demo cluster: a simulated Kubernetes API and Prometheus API."),
    "openapi": Lazy("upid.cli.openapi", "openapi", "Print the OpenAPI document of the API, or write the generated documents."),
})  # fmt: skip


class LazyCommands(TyperGroup):
    """Lists the commands from the table above and imports the one that is called."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 typer's signature
        """Return the names, most useful first."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 typer's signature
        """Return what the list of commands shows: the name and the line of help."""
        return TyperCommand(cmd_name, short_help=COMMANDS[cmd_name].help) if cmd_name in COMMANDS else None

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command to run, imported now."""
        if args and args[0] in COMMANDS:
            return args[0], load(args[0]), args[1:]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=LazyCommands,
    no_args_is_help=True,
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from upid import __version__

        print(f"upid {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", help="Print the version and leave.", is_eager=True, callback=_version),
) -> None:
    """UPID tells every Kubernetes workload what it really needs, what that saves, how sure it is and why.

    `upid scan` reads a cluster and needs nothing else; `upid demo` shows the whole platform on a demo cluster.
    """


def load(name: str) -> Any:
    """Return the command of a name, from its own module."""
    lazy = COMMANDS[name]
    single = typer.Typer(
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    single.command(name)(getattr(importlib.import_module(lazy.module), lazy.function))
    return typer.main.get_command(single)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0 done, 1 failed, 2 wrong arguments, 3 done in part, 130 interrupted."""
    try:
        _run(list(sys.argv[1:] if arguments is None else arguments))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else EXIT_FAILED if end.code else 0
    except AppError as error:
        return _failed(error)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe has seen enough, as `upid scan | head`
        _drop_output()
    except OSError as error:  # what else may be written or read is told where it is
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        _drop_output()
        print("upid: The output cannot be written: no space left on the device.", file=sys.stderr)
        return EXIT_FAILED
    return 0


def _drop_output() -> None:
    """Let what is still to be written go nowhere, or Python would fail over it at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> None:
    """Run the command and write what it left to be written, whose failure would otherwise come after everything that could tell of it."""
    try:
        app(arguments, prog_name="upid")
    except SystemExit:
        sys.stdout.flush()
        raise


def _failed(error: AppError) -> int:
    faults = error.members.get("errors")
    details = [f"  {fault['pointer']}: {fault['detail']}" for fault in faults] if isinstance(faults, list) else []
    lines = [f"upid: {error.detail}", *details]
    print("\n".join(lines[:LINES]), file=sys.stderr)
    return EXIT_USAGE if isinstance(error, InvalidError) else EXIT_FAILED


if __name__ == "__main__":
    sys.exit(main())

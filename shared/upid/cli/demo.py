"""`upid demo`: the platform with a demo cluster, from nothing to recommendations; `upid demo-cluster`: that cluster alone."""

from __future__ import annotations

import sys
import threading
from contextlib import ExitStack
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from upid.cli.serve import Home, Port, password_line, settings_for, start_logging
from upid.domain.errors import AppError

LOOK_AGAIN_SECONDS = 1.0
USUAL_PODS = 150
HOUR = 3600

Pods = Annotated[int, typer.Option(min=1, max=20000, metavar="NUMBER", help="About how many pods the demo cluster has.")]
ClusterPort = Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="Port on 127.0.0.1; 0 takes any free one.")]
Kubeconfig = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the kubeconfig there instead of standard output.")]
Seed = Annotated[int, typer.Option(metavar="NUMBER", help="Another seed is another cluster of the same kind.")]
Anchor = Annotated[
    str, typer.Option(metavar="TIME", help="The moment that ages count back from; by default this hour.", show_default=False)
]


def demo(port: Port = None, home: Home = None, pods: Pods = USUAL_PODS) -> None:
    """Run the platform, connect a demo cluster, collect, analyze, print the recommendations, and keep serving until Ctrl-C or SIGTERM.

    The next start finds its data again. The first one makes an admin and prints the password once; UPID_ADMIN_PASSWORD sets it instead.
    """
    from upid.runtime.signals import until_signalled

    start_logging()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without arrows and rules gets question marks, no failure
    settings = settings_for(port=port, home=home)
    with until_signalled() as stopping, ExitStack() as stack:  # before the platform is imported, as in `serve`
        from upid.cli.demonstration.run import Demonstration
        from upid.cli.demonstration.tour import BarStages, PlainStages, StoppedError
        from upid.runtime.server import PlatformError

        run = Demonstration(settings, pods, BarStages() if sys.stdout.isatty() else PlainStages(), stopping)
        stack.callback(run.stop)
        try:
            run.start()
            run.show(password_line)
        except StoppedError:
            return
        except (PlatformError, AppError) as error:
            print(f"upid: {error}", file=sys.stderr)
            raise typer.Exit(1) from None
        while not stopping.wait(LOOK_AGAIN_SECONDS):
            run.keep_up()


def demo_cluster(
    port: ClusterPort = 0, kubeconfig: Kubeconfig = None, pods: Pods = USUAL_PODS, seed: Seed = 7, anchor: Anchor = ""
) -> None:
    """Serve only the demo cluster on 127.0.0.1, for `upid scan` and other clients. Prints how to reach it."""
    from upid.runtime.signals import until_signalled

    with until_signalled() as stopping:
        from upid.demo.server import PROMETHEUS, DemoCluster, DemoServer, Identity

        try:
            server = DemoServer(DemoCluster(Identity("demo-cluster", _anchor(anchor), seed, pods)), port)
        except OSError as error:
            print(f"upid: Cannot listen on 127.0.0.1 port {port}: {error.strerror}.", file=sys.stderr)
            raise typer.Exit(1) from None
        server.cluster.apis()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"# Prometheus API: {server.url}{PROMETHEUS}", flush=True)
        _write(kubeconfig, server.kubeconfig())
        stopping.wait()
        server.shutdown()


def _anchor(text: str) -> int:
    from upid.bootstrap import build_services
    from upid.domain.times import parse_time

    try:
        return int(parse_time(text) if text else build_services().clock.now()) // HOUR * HOUR
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--anchor") from None


def _write(file: Path | None, kubeconfig: str) -> None:
    if file is None:
        print(kubeconfig, end="", flush=True)
        return
    try:
        file.write_text(kubeconfig, encoding="utf-8")
    except OSError as error:
        print(f"upid: {file} cannot be written: {error.strerror}.", file=sys.stderr)
        raise typer.Exit(1) from None

"""`upid scan`: a cluster and its Prometheus, read once; recommendations on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from upid.cli import arguments
from upid.domain.errors import UnavailableError

DONE_IN_PART = 3
LONGEST_HISTORY_SECONDS = 1000 * 86_400


class Form(StrEnum):
    """How recommendations are printed."""

    TABLE = "table"
    JSON = "json"


Kubeconfig = Annotated[
    str, typer.Option(envvar="KUBECONFIG", metavar="FILE", help="Kubeconfig, as kubectl reads it.", show_default="~/.kube/config")
]
Context = Annotated[str, typer.Option(metavar="NAME", help="Context of the kubeconfig.", show_default="the current one")]
Url = Annotated[
    str, typer.Option("--prometheus-url", "-p", metavar="URL", help="Prometheus, Thanos, Mimir or VictoriaMetrics.", show_default=False)
]
Namespaces = Annotated[list[str] | None, typer.Option("--namespace", "-n", metavar="NAME", help="Only this namespace; may be repeated.")]
Selector = Annotated[str, typer.Option("--selector", "-l", metavar="LABELS", help="Only workloads with these labels, such as app=api.")]
History = Annotated[Any, typer.Option(parser=arguments.duration, metavar="DURATION", help="How far to look back: 7d, 36h.")]
Step = Annotated[Any, typer.Option(parser=arguments.duration, metavar="DURATION", help="Length of a sample.")]
At = Annotated[Any, typer.Option(parser=arguments.moment, metavar="TIME", help="What counts as now: RFC 3339 or seconds since the epoch.")]
Output = Annotated[Form, typer.Option("--output", "-o", help="What to print.")]
File = Annotated[Path | None, typer.Option("--file", "-f", metavar="FILE", help="Write there instead of standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings; errors are still told.")]
ClusterLabel = Annotated[str, typer.Option(metavar='NAME="VALUE"', help="Label of this cluster in a source that several share.")]
Headers = Annotated[
    Any, typer.Option("--header", parser=arguments.header, metavar="NAME:VALUE", help="Sent with every query; may be repeated.")
]
Token = Annotated[str, typer.Option(envvar="UPID_PROMETHEUS_TOKEN", metavar="TOKEN", help="Bearer token for Prometheus.", show_envvar=True)]
TokenFile = Annotated[Path | None, typer.Option(metavar="FILE", help="File with the bearer token.")]
BasicAuth = Annotated[Any, typer.Option(parser=arguments.basic_auth, metavar="USER:PASSWORD", help="Basic auth for Prometheus.")]
MaxQps = Annotated[float, typer.Option(min=0.0, metavar="NUMBER", help="Most queries a second; 0 = no bound.")]
Strategy = Annotated[str, typer.Option(metavar="NAME", help="max-savings, balanced, high-availability or development.")]
TimeAbove = Annotated[float | None, typer.Option(metavar="SHARE", help="Share of time that CPU may be above its request, such as 0.01.")]


def scan(
    *,
    prometheus_url: Url,
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespaces = None,
    selector: Selector = "",
    history: History = "7d",
    step: Step = "5m",
    at: At = None,
    strategy: Strategy = "balanced",
    allowed_time_above: TimeAbove = None,
    output: Output = Form.TABLE,
    file: File = None,
    quiet: Quiet = False,
    cluster_label: ClusterLabel = "",
    header: Headers = None,
    bearer_token: Token = "",
    bearer_token_file: TokenFile = None,
    basic_auth: BasicAuth = None,
    max_qps: MaxQps = 0.0,
) -> None:
    """Read a cluster and its Prometheus once and tell what every workload needs. Nothing is installed or changed.

    Exit status: 0 done; 3 done in part (what could not be read is named); 2 an argument that cannot be read; 1 nothing could be done.
    """
    from upid.bootstrap import build_services
    from upid.cli.progress import Steps
    from upid.services.scan import ScanRequest

    if history < step:
        raise typer.BadParameter("The history is shorter than one step.", param_hint="--history")
    if history > LONGEST_HISTORY_SECONDS:
        raise typer.BadParameter("The history is longer than 1000 days.", param_hint="--history")
    if at is not None and at < history:
        raise typer.BadParameter("The history would begin before 1970.", param_hint="--at")
    if file is not None and not file.parent.is_dir():
        raise UnavailableError(f"The folder of {file} does not exist.")
    metrics = arguments.metrics_access(
        prometheus_url, headers=[arguments.header(text) for text in header or ()], bearer_token=bearer_token, bearer_token_file=bearer_token_file, login=basic_auth or ("", ""),
        cluster_label=cluster_label, max_qps=max_qps,
    )  # fmt: skip
    cluster = arguments.cluster_access(kubeconfig, context)
    options = _options(strategy, allowed_time_above)
    request = ScanRequest(cluster, metrics, options, tuple(namespace or ()), selector, history, step, at)
    with Steps(sys.stderr, quiet=quiet) as steps:
        result = build_services().scan.scan(request, steps.show)
    _write(result.document, output, file)
    _tell(result.warnings if not quiet else (), [f"{error.subject}: {error.detail}" for error in result.errors])
    if result.errors:
        raise typer.Exit(DONE_IN_PART)


def _options(strategy: str, allowed_time_above: float | None) -> Any:
    from upid.engine.rightsizing.options import options_of

    try:
        return options_of(strategy if allowed_time_above is None else allowed_time_above)
    except ValueError as error:
        hint = "--strategy" if allowed_time_above is None else "--allowed-time-above"
        raise typer.BadParameter(str(error), param_hint=hint) from None


def _write(document: dict[str, Any], output: Form, file: Path | None) -> None:
    if output is Form.JSON:
        import orjson

        text = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    else:
        from upid.cli.table import render

        is_seen = file is None and sys.stdout.isatty()
        text = render(document, width=None if is_seen else 160, color=is_seen).encode()
    if file is None:
        sys.stdout.buffer.write(text)
        sys.stdout.buffer.flush()
        return
    try:
        file.write_bytes(text)
    except OSError as error:
        raise UnavailableError(f"{file} cannot be written: {error.strerror}.") from None


def _tell(warnings: tuple[str, ...], errors: list[str]) -> None:
    for line in warnings:
        print(f"upid: warning: {line}", file=sys.stderr)
    shown = errors if len(errors) <= 5 else [*errors[:4], f"and {len(errors) - 4} more: see the summary of the document."]
    if errors:
        print("upid: done in part, this could not be read:", file=sys.stderr)
    for line in shown:
        print(f"  {line}", file=sys.stderr)

"""`upid scan`: a cluster and its metrics, read once; recommendations on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import typer

from upid.cli import arguments
from upid.cli import scan_options as options
from upid.cli.scan_options import Form, SourceKind
from upid.domain.clusters import MetricsAccess
from upid.domain.errors import UnavailableError

DONE_IN_PART = 3
LONGEST_HISTORY_SECONDS = 1000 * 86_400
OF_A_SOURCE = (
    "prometheus_url", "source", "selector", "history", "step", "at", "cluster_label", "matcher", "tenant", "aws_region", "header", "bearer_token",
    "bearer_token_file", "basic_auth", "certificate_authority", "max_qps",
)  # fmt: skip
TRAIL_POINTS = 84  # of a plot on the page: of a week, one for two hours


def scan(
    ctx: typer.Context,
    *,
    prometheus_url: options.Url = "",
    source: options.Source = SourceKind.PROMETHEUS,
    kubeconfig: options.Kubeconfig = "",
    context: options.Context = "",
    all_contexts: options.AllContexts = False,
    namespace: options.Namespaces = None,
    selector: options.Selector = "",
    history: options.History = "7d",
    step: options.Step = "5m",
    at: options.At = None,
    strategy: options.Strategy = "balanced",
    allowed_time_above: options.TimeAbove = None,
    output: options.Output = Form.TABLE,
    file: options.File = None,
    server: options.Server = "",
    token: options.ServerToken = "",
    quiet: options.Quiet = False,
    cluster_label: options.ClusterLabel = "",
    matcher: options.Matchers = None,
    tenant: options.Tenant = "",
    aws_region: options.Region = "",
    header: options.Headers = None,
    bearer_token: options.Token = "",
    bearer_token_file: options.TokenFile = None,
    basic_auth: options.BasicAuth = None,
    certificate_authority: options.Authority = None,
    max_qps: options.MaxQps = 0.0,
) -> None:
    """Read a cluster and its metrics once and tell what every workload needs. Nothing is installed or changed.

    Exit status: 0 done; 3 done in part (what could not be read is named); 2 an argument that cannot be read; 1 nothing could be done.
    """
    from upid.cli.progress import Steps
    from upid.cli.scan_running import scan_by_server, scan_contexts_of, scan_one
    from upid.cli.scan_writing import tell, write
    from upid.services.scan import ScanRequest
    from upid.services.server_scan import ServerScanRequest

    check_window(history, step, at)
    check_file(output, file)
    sizing = sizing_options(strategy, allowed_time_above)
    points = TRAIL_POINTS if output is Form.HTML else 0
    if server:
        refuse_with_server(ctx)
        asked = ServerScanRequest(context, all_contexts, tuple(namespace or ()), strategy, allowed_time_above, points)
        run = partial(scan_by_server, asked, server, token)
    else:
        user, password = basic_auth or ("", "")
        told = MetricsAccess(
            prometheus_url, source.value, bearer_token=arguments.token_from(bearer_token_file, bearer_token), username=user, password=password,
            cluster_label=cluster_label, max_qps=max_qps, tenant=tenant, aws_region=aws_region,
            certificate_authority=arguments.authority_from(certificate_authority),
        )  # fmt: skip
        metrics = arguments.metrics_access(told, header or [], matcher or [])
        cluster = arguments.cluster_access(kubeconfig, context)
        request = ScanRequest(cluster, metrics, sizing, tuple(namespace or ()), selector, history, step, at, points)
        run = partial(scan_contexts_of if all_contexts else scan_one, request)
    with Steps(sys.stderr, quiet=quiet) as steps:
        result = run(steps.show)
    write(result, output, file)
    tell(result.warnings if not quiet else (), [f"{error.subject}: {error.detail}" for error in result.errors])
    if result.errors:
        raise typer.Exit(DONE_IN_PART)


def refuse_with_server(ctx: typer.Context) -> None:
    """Hold that nothing is asked of a platform that it does not do: what it has stored, it has collected in its own way; a usage error."""
    for name in OF_A_SOURCE:
        found = ctx.get_parameter_source(name)
        if found is not None and found.name == "COMMANDLINE":
            raise typer.BadParameter(
                "The platform has its own: this is for a scan without a server.", param_hint=f"--{name.replace('_', '-')}"
            )


def check_window(history: int, step: int, at: float | None) -> None:
    """Hold that the window can be; a usage error where it can't."""
    if history < step:
        raise typer.BadParameter("The history is shorter than one step.", param_hint="--history")
    if history > LONGEST_HISTORY_SECONDS:
        raise typer.BadParameter("The history is longer than 1000 days.", param_hint="--history")
    if at is not None and at < history:
        raise typer.BadParameter("The history would begin before 1970.", param_hint="--at")


def check_file(output: Form, file: Path | None) -> None:
    """Hold that the result can be written where it shall go, before anything is read."""
    if output is Form.PATCH and file is None:
        raise typer.BadParameter("Patches are files: name the folder for them.", param_hint="--file")
    if file is not None and not file.parent.is_dir():
        raise UnavailableError(f"The folder of {file} does not exist.")
    if file is not None and file.exists() and file.is_dir() != (output is Form.PATCH):
        raise UnavailableError(f"{file} is {'a folder' if file.is_dir() else 'no folder'}.")


def sizing_options(strategy: str, allowed_time_above: float | None) -> Any:
    """Return the options of the rule; a usage error for a strategy that there is not, or a share that is none."""
    from upid.engine.rightsizing.options import options_of

    try:
        return options_of(strategy if allowed_time_above is None else allowed_time_above)
    except ValueError as error:
        hint = "--strategy" if allowed_time_above is None else "--allowed-time-above"
        raise typer.BadParameter(str(error), param_hint=hint) from None

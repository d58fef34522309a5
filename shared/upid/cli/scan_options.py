"""The options of `upid scan`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from upid.cli import arguments


class Form(StrEnum):
    """How recommendations are written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    YAML = "yaml"
    HTML = "html"
    PATCH = "patch"


class SourceKind(StrEnum):
    """What measures usage."""

    PROMETHEUS = "prometheus"
    THANOS = "thanos"
    MIMIR = "mimir"
    VICTORIAMETRICS = "victoriametrics"
    AMP = "amp"
    METRICS_SERVER = "metrics-server"


Kubeconfig = Annotated[
    str,
    typer.Option(
        envvar="KUBECONFIG", metavar="FILE", help="Kubeconfig, as kubectl reads it; several joined by colons are merged.", show_default="~/.kube/config"
    ),
]  # fmt: skip
Context = Annotated[
    str, typer.Option(metavar="NAME", help="Context of the kubeconfig, or a cluster of the platform.", show_default="the current one")
]
AllContexts = Annotated[
    bool,
    typer.Option(
        "--all-contexts", help="Scan every context, or cluster of the platform; {context} in a URL or matcher stands for its name."
    ),
]
Url = Annotated[str, typer.Option("--prometheus-url", "-p", metavar="URL", help="Where usage is measured.", show_default=False)]
Source = Annotated[SourceKind, typer.Option("--source", help="What answers there; metrics-server needs no URL, and keeps no history.")]
Tenant = Annotated[str, typer.Option(metavar="NAME", help="Whose series, in Mimir (X-Scope-OrgID) or Thanos (THANOS-TENANT).")]
Region = Annotated[str, typer.Option(metavar="NAME", help="AWS region to sign for, with --source amp.", show_default="as the URL tells")]
Matchers = Annotated[
    list[str] | None, typer.Option("--matcher", metavar="MATCHER", help='In every query, such as env=~"prod|live"; may be repeated.')
]
Namespaces = Annotated[list[str] | None, typer.Option("--namespace", "-n", metavar="NAME", help="Only this namespace; may be repeated.")]
Selector = Annotated[str, typer.Option("--selector", "-l", metavar="LABELS", help="Only workloads with these labels, such as app=api.")]
History = Annotated[Any, typer.Option(parser=arguments.duration, metavar="DURATION", help="How far to look back: 7d, 36h.")]
Step = Annotated[Any, typer.Option(parser=arguments.duration, metavar="DURATION", help="Length of a sample.")]
At = Annotated[Any, typer.Option(parser=arguments.moment, metavar="TIME", help="What counts as now: RFC 3339 or seconds since the epoch.")]
Output = Annotated[Form, typer.Option("--output", "-o", help="What to write; patch wants --file with a folder.")]
File = Annotated[
    Path | None, typer.Option("--file", "-f", metavar="PATH", help="Write there instead of standard output; a folder for patch.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings; errors are still told.")]
ClusterLabel = Annotated[str, typer.Option(metavar="NAME=VALUE", help="Label of this cluster in a source that several share.")]
Server = Annotated[
    str,
    typer.Option("--server", metavar="URL", help="A running platform: its stored history instead of a metrics source."),
]
ServerToken = Annotated[str, typer.Option("--token", envvar="UPID_TOKEN", metavar="TOKEN", help="Token for the platform.")]
Headers = Annotated[
    Any, typer.Option("--header", parser=arguments.header, metavar="NAME:VALUE", help="Sent with every query; may be repeated.")
]
Token = Annotated[str, typer.Option(envvar="UPID_PROMETHEUS_TOKEN", metavar="TOKEN", help="Bearer token for Prometheus.", show_envvar=True)]
TokenFile = Annotated[Path | None, typer.Option(metavar="FILE", help="File with the bearer token.")]
BasicAuth = Annotated[Any, typer.Option(parser=arguments.basic_auth, metavar="USER:PASSWORD", help="Basic auth for Prometheus.")]
Authority = Annotated[
    Path | None,
    typer.Option("--certificate-authority", metavar="FILE", help="PEM file: whom to trust at Prometheus.", show_default="the system's"),
]
MaxQps = Annotated[float, typer.Option(min=0.0, metavar="NUMBER", help="Most queries a second; 0 = no bound.")]
Strategy = Annotated[str, typer.Option(metavar="NAME", help="max-savings, balanced, high-availability or development.")]
TimeAbove = Annotated[float | None, typer.Option(metavar="SHARE", help="Share of time that CPU may be above its request, such as 0.01.")]

"""One frozen model of the environment, read once at the start and passed down."""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final

from upid.domain.lifetimes import Lifetimes

Network = IPv4Network | IPv6Network

FIRST_TENANT: Final = frozenset({"default"})  # the operator's own, which the first start makes
AWS: Final = "aws"  # as UPID_HOME: the home is not a directory
_MACHINES: Final = re.compile(r"arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:stateMachine:[A-Za-z0-9_-]*")
_TABLE: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}|arn:[a-z-]+:dynamodb:[a-z0-9-]+:\d{12}:table/[A-Za-z0-9_.-]{3,255}")
_PLAIN_URL: Final = re.compile(r"https?://[A-Za-z0-9.\-\[\]:]+/?")
_PREFIX: Final = re.compile(r"[A-Za-z0-9-]{1,32}")
_LEAST_LIMIT_SECONDS: Final = 900  # a count of failed logins outlives the longest wait that it asks for
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class AwsSettings:
    """What a home on AWS is made of.

    table: DynamoDB table. bucket: of S3. key: id, ARN or alias of a KMS key. bus: EventBridge bus, "" = events are not published.
    machines: what the ARNs of the state machines begin with, before their name.
    """

    table: str
    bucket: str
    key: str
    machines: str
    bus: str = ""

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> AwsSettings:
        """Return the settings that environment variables give; ValueError that names every variable that is missing, or one that is wrong."""
        needed = ("UPID_TABLE", "UPID_BUCKET", "UPID_KEY", "UPID_MACHINES")
        missing = [name for name in needed if not env.get(name)]
        if not env.get("AWS_REGION") and not env.get("AWS_DEFAULT_REGION"):
            missing.append("AWS_REGION")
        if missing:
            raise ValueError(f"UPID_HOME=aws needs {', '.join(missing)} too.")
        _like(env, "UPID_TABLE", _TABLE, "a DynamoDB table's name or ARN")
        _like(env, "UPID_BUCKET", _BUCKET, "an S3 bucket's name")
        _like(
            env,
            "UPID_MACHINES",
            _MACHINES,
            "the beginning of state machines' ARNs, arn:aws:states:<region>:<account>:stateMachine:<stack>-",
        )
        return cls(env["UPID_TABLE"], env["UPID_BUCKET"], env["UPID_KEY"], env["UPID_MACHINES"], env.get("UPID_BUS", ""))


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    """An InfluxDB that keeps usage history, or an Amazon Timestream for InfluxDB.

    url: without credentials or a path. token: of 2.x and 3.x; username and password: of 1.x. organization: of 2.x, where the token may use several.
    prefix: what the names of our databases begin with, so that several platforms can share a server.
    """

    url: str
    token: str = field(default="", repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    organization: str = ""
    prefix: str = "upid"

    @property
    def headers(self) -> dict[str, str]:
        """The header that carries the credentials, none without any."""
        if self.token:
            return {"Authorization": f"Token {self.token}"}
        if self.username:
            return {"Authorization": f"Basic {base64.b64encode(f'{self.username}:{self.password}'.encode()).decode()}"}
        return {}

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> InfluxSettings | None:
        """Return the settings that environment variables give, None without UPID_INFLUXDB_URL; ValueError that names the variable that is wrong."""
        if not env.get("UPID_INFLUXDB_URL"):
            return None
        _like(env, "UPID_INFLUXDB_URL", _PLAIN_URL, "an http or https URL of a host and a port, without credentials")
        token, username, password = (env.get(f"UPID_INFLUXDB_{name}", "") for name in ("TOKEN", "USERNAME", "PASSWORD"))
        if token and username:
            raise ValueError("Give either UPID_INFLUXDB_TOKEN or UPID_INFLUXDB_USERNAME, not both.")
        if not (token + username + password).isascii() or not (token + username + password).isprintable():
            raise ValueError("UPID_INFLUXDB_TOKEN, _USERNAME and _PASSWORD go into a header: printable ASCII only.")
        prefix = env.get("UPID_INFLUXDB_PREFIX") or "upid"
        _like({"UPID_INFLUXDB_PREFIX": prefix}, "UPID_INFLUXDB_PREFIX", _PREFIX, "letters, digits and dashes, 32 at most")
        return cls(env["UPID_INFLUXDB_URL"].rstrip("/"), token, username, password, env.get("UPID_INFLUXDB_ORG", ""), prefix)


@dataclass(frozen=True, slots=True)
class Settings:
    """How this process runs.

    home: data directory of the embedded platform. aws: the home on AWS instead, then `home` is a place for temporary files. workers: processes for workflow tasks. admin_password: sets the admin's password
    instead of a generated one. token_seconds: life of an access token. influxdb: keeps the usage history, None = it lies on blobs.
    lifetimes: how long what was looked up or made is kept.
    own_identity: tenants that may reach clusters as the platform itself, `*` = all. trusted_proxies: networks whose word counts on where a request
    comes from.
    """

    home: Path
    port: int = 8080
    host: str = "127.0.0.1"
    workers: int = 2
    admin_password: str = ""
    token_seconds: int = 900
    schedules: bool = True
    aws: AwsSettings | None = None
    influxdb: InfluxSettings | None = None
    lifetimes: Lifetimes = field(default_factory=Lifetimes)
    own_identity: frozenset[str] = FIRST_TENANT
    trusted_proxies: tuple[Network, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return the settings that environment variables give; ValueError that names the variable that is wrong."""
        env = os.environ if environment is None else environment
        on_aws = env.get("UPID_HOME") == AWS
        return cls(
            home=Path(tempfile.gettempdir()) / "upid" if on_aws else Path(env.get("UPID_HOME") or ".upid").resolve(),
            aws=AwsSettings.from_environment(env) if on_aws else None,
            port=_whole(env, "PORT", 8080, low=0, high=65535),
            host=env.get("UPID_HOST") or "127.0.0.1",
            workers=_whole(env, "UPID_WORKERS", os.cpu_count() or 1, low=1, high=256),
            admin_password=env.get("UPID_ADMIN_PASSWORD", ""),
            token_seconds=_whole(env, "UPID_TOKEN_SECONDS", 900, low=60, high=86400),
            influxdb=InfluxSettings.from_environment(env),
            schedules=env.get("UPID_SCHEDULES", "on") != "off",
            lifetimes=_lifetimes(env),
            own_identity=FIRST_TENANT if env.get("UPID_OWN_IDENTITY") is None else frozenset(_listed(env, "UPID_OWN_IDENTITY")),
            trusted_proxies=_networks(env, "UPID_TRUSTED_PROXIES"),
        )


def _lifetimes(env: Mapping[str, str]) -> Lifetimes:
    """Return the lifetimes that variables such as UPID_CLUSTER_CONFIGS_SECONDS give."""
    least = {"api_rate_limits": _LEAST_LIMIT_SECONDS}
    usual = asdict(Lifetimes())
    return Lifetimes(
        **{
            name: _whole(env, f"UPID_{name.upper()}_SECONDS", seconds, low=least.get(name, 0), high=604_800)
            for name, seconds in usual.items()
        }
    )


def _like(env: Mapping[str, str], name: str, pattern: re.Pattern[str], what: str) -> None:
    if not pattern.fullmatch(env[name]):
        raise ValueError(f"{name}={env[name]!r} must be {what}.")


def _listed(env: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in env.get(name, "").split(",") if part.strip()]


def _networks(env: Mapping[str, str], name: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(text) for text in _listed(env, name))
    except ValueError as error:
        raise ValueError(
            f"{name}={env[name]!r} must be addresses or networks, such as 10.0.0.0/8, with commas between them: {error}."
        ) from None


def _whole(env: Mapping[str, str], name: str, default: int, *, low: int, high: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise ValueError(f"{name}={text!r} must be a whole number from {low} to {high}.")
    return int(text)

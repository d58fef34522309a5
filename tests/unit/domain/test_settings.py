from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import pytest

from upid.domain.lifetimes import Lifetimes
from upid.settings import AwsSettings, InfluxSettings, Settings


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = Settings.from_environment({})

    assert (settings.home, settings.port, settings.host, settings.schedules) == (Path(".upid").resolve(), 8080, "127.0.0.1", True)


def test_variables_are_taken() -> None:
    settings = Settings.from_environment({"PORT": "9000", "UPID_HOME": "/data", "UPID_WORKERS": "3", "UPID_SCHEDULES": "off"})

    assert (settings.port, settings.home, settings.workers, settings.schedules) == (9000, Path("/data"), 3, False)


@pytest.mark.parametrize(("name", "text"), [("PORT", "http"), ("PORT", "65536"), ("UPID_WORKERS", "0"), ("UPID_TOKEN_SECONDS", "-5")])
def test_a_number_that_makes_no_sense_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"{name}='{text}' must be a whole number"):
        Settings.from_environment({name: text})


def test_lifetimes_are_those_of_the_documents_and_each_can_be_set() -> None:
    usual = Settings.from_environment({}).lifetimes
    assert usual == Lifetimes(300, 3600, 1800, 86400, 3600)

    changed = Settings.from_environment({"UPID_CLUSTER_CONFIGS_SECONDS": "0", "UPID_API_RATE_LIMITS_SECONDS": "900"}).lifetimes

    assert changed == replace(usual, cluster_configs=0, api_rate_limits=900)


def test_a_count_of_failed_logins_outlives_the_wait_that_it_asks_for() -> None:
    with pytest.raises(ValueError, match="UPID_API_RATE_LIMITS_SECONDS='899' must be a whole number from 900"):
        Settings.from_environment({"UPID_API_RATE_LIMITS_SECONDS": "899"})


ON_AWS = {
    "UPID_HOME": "aws",
    "UPID_TABLE": "upid-Records-1",
    "UPID_BUCKET": "upid-blobs-1",
    "UPID_KEY": "arn:aws:kms:eu-central-1:123456789012:key/1",
    "UPID_BUS": "upid",
    "UPID_MACHINES": "arn:aws:states:eu-central-1:123456789012:stateMachine:upid-",
    "AWS_REGION": "eu-central-1",
}


def test_a_home_on_aws_is_made_of_a_table_a_bucket_a_key_a_bus_and_machines() -> None:
    settings = Settings.from_environment(ON_AWS)
    assert settings.aws == AwsSettings("upid-Records-1", "upid-blobs-1", ON_AWS["UPID_KEY"], ON_AWS["UPID_MACHINES"], "upid")
    assert settings.home != Path("aws").resolve()


def test_every_variable_that_a_home_on_aws_lacks_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="UPID_TABLE, UPID_KEY, AWS_REGION too"):
        Settings.from_environment({k: v for k, v in ON_AWS.items() if k not in {"UPID_TABLE", "UPID_KEY", "AWS_REGION", "UPID_BUS"}})


@pytest.mark.parametrize(("name", "value"), [("UPID_TABLE", "a b"), ("UPID_BUCKET", "Upper"), ("UPID_MACHINES", "upid-")])
def test_a_variable_of_the_home_on_aws_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}='{value}' must be"):
        Settings.from_environment({**ON_AWS, name: value})


def test_usage_history_lies_on_blobs_unless_an_influxdb_is_named() -> None:
    token = {"UPID_INFLUXDB_URL": "https://influx:8086/", "UPID_INFLUXDB_TOKEN": "t0ken", "UPID_INFLUXDB_ORG": "ops"}
    user = {"UPID_INFLUXDB_URL": "http://127.0.0.1:8086", "UPID_INFLUXDB_USERNAME": "u", "UPID_INFLUXDB_PASSWORD": "p"}

    assert Settings.from_environment({"UPID_INFLUXDB_URL": ""}).influxdb is None
    assert Settings.from_environment(token).influxdb == InfluxSettings("https://influx:8086", token="t0ken", organization="ops")
    assert InfluxSettings("http://i", token="t0ken").headers == {"Authorization": "Token t0ken"}
    found = Settings.from_environment(user).influxdb
    assert found is not None
    assert found.headers == {"Authorization": "Basic dTpw"}
    assert "t0ken" not in repr(Settings.from_environment(token))


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"UPID_INFLUXDB_URL": "ftp://influx"}, "UPID_INFLUXDB_URL"), ({"UPID_INFLUXDB_URL": "http://u:p@influx:8086"}, "UPID_INFLUXDB_URL"),
        ({"UPID_INFLUXDB_URL": "http://i", "UPID_INFLUXDB_PREFIX": "a_b"}, "UPID_INFLUXDB_PREFIX"),
        ({"UPID_INFLUXDB_URL": "http://i", "UPID_INFLUXDB_TOKEN": "t", "UPID_INFLUXDB_USERNAME": "u"}, "either"),
        ({"UPID_INFLUXDB_URL": "http://i", "UPID_INFLUXDB_TOKEN": "t\r\nHost: x"}, "UPID_INFLUXDB_TOKEN"),
    ],
)  # fmt: skip
def test_settings_of_an_influxdb_that_cannot_be_used_are_refused(env: dict[str, str], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        Settings.from_environment(env)


def test_the_first_tenant_alone_is_the_platform_itself_unless_others_are_named() -> None:
    assert Settings.from_environment({}).own_identity == {"default"}
    assert Settings.from_environment({"UPID_OWN_IDENTITY": ""}).own_identity == frozenset()
    assert Settings.from_environment({"UPID_OWN_IDENTITY": "default, ops"}).own_identity == {"default", "ops"}


def test_proxies_are_addresses_and_networks_and_none_by_default() -> None:
    given = {"UPID_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1"}

    assert Settings.from_environment({}).trusted_proxies == ()
    assert Settings.from_environment(given).trusted_proxies == (ip_network("10.0.0.0/8"), ip_network("2001:db8::1/128"))
    for wrong in ("proxy", "10.0.0.1/8"):  # a network with an address in it is a slip
        with pytest.raises(ValueError, match=f"^UPID_TRUSTED_PROXIES='{wrong}' must be addresses or networks"):
            Settings.from_environment({"UPID_TRUSTED_PROXIES": wrong})

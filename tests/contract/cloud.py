"""AWS in this process (moto): no request leaves it, and what a test made is gone at its end.

Where AWS_ENDPOINT_URL names an emulator, the suites run against that instead (`test_on_ministack.py` does so).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from upid.adapters.aws.clients import AwsClients

REGION = "eu-central-1"
FAKE = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
ENDPOINT = os.environ.get("AWS_ENDPOINT_URL", "")
KEY = [("partition", "HASH"), ("sort", "RANGE")]


class Cloud:
    """The pretended AWS of this process. Stores are made for a place when they are first opened, and found again."""

    def __init__(self) -> None:
        self.patch = pytest.MonkeyPatch()
        self.mock: Any = contextlib.ExitStack()
        if not ENDPOINT:
            self._pretend()
        self.clients = AwsClients()

    def _pretend(self) -> None:
        from moto import mock_aws

        for name in [name for name in os.environ if name.startswith("AWS_")]:
            self.patch.delenv(name)
        for name, value in FAKE.items():
            self.patch.setenv(name, value)
        self.mock.enter_context(mock_aws(config={"stepfunctions": {"execute_state_machine": True}}))

    def stop(self) -> None:
        self.mock.close()
        self.patch.undo()

    def table(self, place: Path) -> str:
        name, client = named(place), self.clients.get("dynamodb")
        with unless("ResourceInUseException"):
            client.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                KeySchema=[{"AttributeName": attribute, "KeyType": kind} for attribute, kind in KEY],
                AttributeDefinitions=[{"AttributeName": attribute, "AttributeType": "S"} for attribute, _ in KEY],
            )
        return name

    def bucket(self, place: Path) -> str:
        name, client = named(place), self.clients.get("s3")
        with unless("BucketAlreadyOwnedByYou"):
            client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        return name

    def key(self, place: Path) -> str:
        client, alias = self.clients.get("kms"), f"alias/{named(place)}"
        if alias not in {entry["AliasName"] for entry in client.list_aliases()["Aliases"]}:
            with unless("AlreadyExistsException"):
                client.create_alias(AliasName=alias, TargetKeyId=client.create_key()["KeyMetadata"]["KeyId"])
        return alias

    def machines(self, place: Path, definitions: Mapping[str, Any], functions: Mapping[str, Callable[[Any, Any], Any]]) -> str:
        """Make state machines whose Lambda tasks call these functions, and return what their ARNs begin with.

        By itself moto echoes the input of a Lambda task; tests show that a doubled number comes out doubled.
        """
        if ENDPOINT:
            pytest.skip("tasks are Lambda functions there: the end-to-end suite runs those")
        from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

        self.patch.setattr(lambda_eval_utils, "boto_client_for", lambda **_: LocalLambdas(functions))
        role = "arn:aws:iam::123456789012:role/machines"
        client = self.clients.get("stepfunctions")
        for name, definition in definitions.items():
            client.create_state_machine(name=f"{named(place)}-{name}", definition=json.dumps(definition), roleArn=role)
        return f"arn:aws:states:{REGION}:123456789012:stateMachine:{named(place)}-"


class LocalLambdas:
    """Lambda's client, as far as a state machine uses it: functions of this process by their name."""

    def __init__(self, functions: Mapping[str, Callable[[Any, Any], Any]]) -> None:
        self._functions = functions

    def invoke(self, *, FunctionName: str, Payload: str | bytes, **_: Any) -> dict[str, Any]:  # noqa: N803 the names are AWS'
        try:
            result = self._functions[FunctionName](json.loads(Payload), None)
        except Exception as error:  # noqa: BLE001 Lambda answers with whatever was raised
            told = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(told).encode())}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(result).encode())}


@contextlib.contextmanager
def unless(code: str) -> Iterator[None]:
    """Let an error of this code pass: what was to be made is there."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != code:
            raise


def named(place: Path) -> str:
    """Return a name for what belongs to a place."""
    return f"upid-{hashlib.sha256(str(place).encode()).hexdigest()[:20]}"


_OPENED: list[Cloud] = []


def cloud() -> Cloud:
    """Return the pretended AWS, begun now where it has not."""
    if not _OPENED:
        _OPENED.append(Cloud())
    return _OPENED[0]


def stop_cloud() -> None:
    """End it, with all that lies in it."""
    while _OPENED:
        _OPENED.pop().stop()

"""The home on AWS is chosen by the environment, and costs an API function nothing at its import."""

from __future__ import annotations

import subprocess
import sys

from upid.adapters.dynamodb.events import DynamoEventStore
from upid.adapters.dynamodb.records import DynamoRecords
from upid.adapters.eventbridge.bus import EventBridgeBus
from upid.adapters.kms.sealer import KmsSealer
from upid.adapters.s3.blobs import S3Blobs
from upid.adapters.stepfunctions.workflows import StepFunctionsWorkflows
from upid.bootstrap import Services
from upid.settings import Settings

ENVIRONMENT = {
    "UPID_HOME": "aws",
    "UPID_TABLE": "upid-records",
    "UPID_BUCKET": "upid-blobs",
    "UPID_KEY": "alias/upid",
    "UPID_MACHINES": "arn:aws:states:eu-central-1:123456789012:stateMachine:upid-",
    "AWS_REGION": "eu-central-1",
}
MAKE = "import sys; from upid.bootstrap import build_services as b; s = b(); s.identity, s.clusters, s.collections, s.analyses, s.recommendations; "


def test_upid_home_aws_chooses_the_adapters_of_aws() -> None:
    services = Services(Settings.from_environment(ENVIRONMENT))
    assert isinstance(services.records, DynamoRecords)
    assert isinstance(services.events, DynamoEventStore)
    assert isinstance(services.blobs, S3Blobs)
    assert isinstance(services.sealer, KmsSealer)
    assert isinstance(services.workflows, StepFunctionsWorkflows)
    assert isinstance(services.bus, EventBridgeBus)


def test_making_all_services_loads_neither_boto3_nor_botocore() -> None:
    text = MAKE + "print([name for name in ('boto3', 'botocore') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", text], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

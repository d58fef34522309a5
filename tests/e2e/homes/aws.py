"""The platform on AWS: on the endpoint that the environment names, where somebody deployed it, or on an emulator started for the tests.

On the MiniStack of the tests the template is put up by `packaging`. Anywhere else `make deploy` did it, and UPID_STACK names the stack.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from e2e.homes import ministack, packaging, unfinished
from e2e.homes.home import ADMIN_PASSWORD, Home

REGION = "us-east-1"
LOCALSTACK = "localhost.localstack.cloud"  # what LocalStack's APIs are named under, and any emulator that takes its clients
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION, "AWS_REGION": REGION}


@contextmanager
def aws_home(folder: Path) -> Iterator[Home]:
    """Yield the stack at AWS_ENDPOINT_URL, or one of MiniStack's; skips the test by name where neither can be had."""
    if os.environ.get("AWS_ENDPOINT_URL"):
        yield _found(os.environ.get("UPID_STACK", "upid"), os.environ["AWS_ENDPOINT_URL"])
        return
    if ministack.missing():
        pytest.skip(f"no AWS to run against: AWS_ENDPOINT_URL is not set, and {ministack.missing()}")
    with ministack.started(folder) as url, pytest.MonkeyPatch.context() as environment:
        for name, value in (CREDENTIALS | {"AWS_ENDPOINT_URL": url}).items():
            environment.setenv(name, value)
        outputs = packaging.deploy("upid", folder / "built")
        unfinished.finish("upid", outputs["ApiId"])
        yield _deployed("upid", url, CREDENTIALS, ministack.HOST)


def _found(stack: str, endpoint: str) -> Home:
    """Return what `make deploy` put up, with what MiniStack leaves out where that is what answers."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in (CREDENTIALS | dict(os.environ)).items():
            environment.setenv(name, value)
        emulated = ministack.answers(endpoint)
        if emulated:
            unfinished.finish(stack, packaging.outputs_of(stack)["ApiId"])
        return _deployed(stack, endpoint, CREDENTIALS | dict(os.environ), ministack.HOST if emulated else LOCALSTACK)


def _deployed(stack: str, endpoint: str, credentials: dict[str, str], domain: str) -> Home:
    outputs = packaging.outputs_of(stack)
    packaging.ensure_admin(outputs["EnsureAdmin"], ADMIN_PASSWORD)
    arn = outputs["KeyArn"].split(":")
    settings = {
        "AWS_ENDPOINT_URL": endpoint, "UPID_HOME": "aws", "UPID_TABLE": outputs["Table"], "UPID_BUCKET": outputs["Bucket"],
        "UPID_KEY": outputs["KeyArn"], "UPID_MACHINES": f"arn:aws:states:{arn[3]}:{arn[4]}:stateMachine:{stack}-",
    }  # fmt: skip
    return Home(
        "aws", f"{endpoint}/live/api/v1", {**credentials, **settings}, f"{outputs['ApiId']}.execute-api.{domain}:{urlsplit(endpoint).port}"
    )

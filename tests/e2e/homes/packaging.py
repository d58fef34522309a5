"""Puts the project's template into an emulator of AWS as `sam build` and `sam deploy` would, without either: zip files in a bucket, then a stack.

The layer of ours is what `layers/upid` builds; the other two are empty, because the emulator's functions run with the Python of these tests, which
has what they hold.
"""

from __future__ import annotations

import io
import json
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from upid.runtime.template import Template, _Tag

ROOT = Path(__file__).resolve().parents[3]
ARTIFACTS = "upid-artifacts"
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
PLAIN = [{"ParameterKey": "Transport", "ParameterValue": "plain"}]  # the emulator speaks HTTP
DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}


class DeployError(Exception):
    """The emulator did not take the stack; the message has its words."""


def ensure_admin(function: str, password: str) -> None:
    """Set the admin's password, as the script does that `make deploy` ends with."""
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"password": password}).encode())
    assert "FunctionError" not in answer, answer["Payload"].read()


def outputs_of(stack: str) -> dict[str, str]:
    """Return the outputs of a stack by name."""
    found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def deploy(stack: str, folder: Path) -> dict[str, str]:
    """Create the stack and return its outputs; DeployError with the failed resources. `folder` takes what is built on the way."""
    store = boto3.client("s3")
    store.create_bucket(Bucket=ARTIFACTS)
    for name, data in packages(folder):
        store.put_object(Bucket=ARTIFACTS, Key=name, Body=data)
    formation = boto3.client("cloudformation")
    store.put_object(Bucket=ARTIFACTS, Key="template.json", Body=json.dumps(deployable()).encode())
    url = f"{store.meta.endpoint_url}/{ARTIFACTS}/template.json"  # longer than what may stand in the request
    formation.create_stack(StackName=stack, TemplateURL=url, Capabilities=CAPABILITIES, Parameters=PLAIN)
    return _when_done(formation, stack)


def packages(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every package by its key: the functions, the layers, the machines."""
    subprocess.run(
        ["make", "-s", "build-UpidLayer"],
        cwd=ROOT / "layers" / "upid",
        env={"ARTIFACTS_DIR": str(folder), "PATH": "/usr/bin:/bin"},
        check=True,
    )
    yield "functions.zip", zipped(ROOT, sorted((ROOT / "functions").rglob("*")))
    yield "UpidLayer.zip", zipped(folder, sorted(folder.rglob("*")))
    for name in ("DependenciesLayer", "NumericsLayer", "TablesLayer"):
        yield f"{name}.zip", zipped(folder, [])
    for machine in Template.load().machines.values():
        yield machine.path.name, machine.path.read_bytes()


def zipped(root: Path, files: list[Path]) -> bytes:
    """Return a zip of files, named from `root`; an empty one holds one empty file, since an archive without any is refused."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                archive.write(file, file.relative_to(root))
        if not files:
            archive.writestr("python/nothing.txt", "")
    return buffer.getvalue()


def deployable() -> dict[str, Any]:
    """Return the template as JSON, its local folders replaced by the packages."""
    document: dict[str, Any] = plain(Template.load().document)
    document["Globals"]["Function"]["CodeUri"] = {"Bucket": ARTIFACTS, "Key": "functions.zip"}
    for name, resource in document["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = {"Bucket": ARTIFACTS, "Key": f"{name}.zip"}
        if resource["Type"] == "AWS::Serverless::StateMachine":
            properties["DefinitionUri"] = {"Bucket": ARTIFACTS, "Key": Path(properties["DefinitionUri"]).name}
    return document


def plain(value: Any) -> Any:
    """Return CloudFormation's short forms as the long ones."""
    if isinstance(value, _Tag):
        return {
            "Ref": lambda text: {"Ref": text},
            "GetAtt": lambda text: {"Fn::GetAtt": text.split(".", 1)},
            "Sub": lambda text: {"Fn::Sub": text},
        }[value.name](value.text)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def _when_done(formation: Any, stack: str) -> dict[str, str]:
    deadline = time.monotonic() + 120
    while (found := formation.describe_stacks(StackName=stack)["Stacks"][0])["StackStatus"].endswith(
        "IN_PROGRESS"
    ) and time.monotonic() < deadline:
        time.sleep(0.2)
    if found["StackStatus"] not in DEPLOYED:
        failed = [event for event in formation.describe_stack_events(StackName=stack)["StackEvents"] if "FAILED" in event["ResourceStatus"]]
        said = "; ".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', '')}" for event in failed[-3:])
        raise DeployError(f"{stack} is {found['StackStatus']}: {said or found.get('StackStatusReason', 'no reason given')}")
    return outputs_of(stack)

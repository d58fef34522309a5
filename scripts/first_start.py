"""Make the admin of a deployed stack and print where it answers: first_start.py STACK. UPID_ADMIN_PASSWORD sets the password instead of a generated one."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import boto3


def outputs_of(stack: str) -> dict[str, str]:
    """Return a stack's outputs by name."""
    found = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


def ensure_admin(function: str, password: str) -> str | None:
    """Return the password that was generated, None where it was given or there is an admin already."""
    answer = boto3.client("lambda").invoke(FunctionName=function, Payload=json.dumps({"password": password}).encode())
    result: dict[str, Any] = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise SystemExit(f"upid: the admin could not be made: {result.get('errorMessage')}")
    return result["admin_password"]


def main() -> int:
    """Return 0 once there is an admin."""
    outputs = outputs_of(sys.argv[1])
    made = ensure_admin(outputs["EnsureAdmin"], os.environ.get("UPID_ADMIN_PASSWORD", ""))
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    url = f"{endpoint}/_aws/execute-api/{outputs['ApiId']}/live/api/v1" if endpoint else outputs["ApiUrl"]
    sys.stdout.write(
        f"API       {url}\nAdmin     admin / {made or 'the password that was set before'}{'   (shown this once)' if made else ''}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

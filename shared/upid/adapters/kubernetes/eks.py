"""EKS clusters by name: where the API server is, and tokens as `aws eks get-token` makes them. boto3 is imported when the first is asked for."""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator
from typing import Any, Final

from upid.adapters.kubernetes.errors import KubeconfigError, NoAnswerError
from upid.adapters.kubernetes.target import Eks
from upid.domain.errors import UnavailableError

PREFIX: Final = "k8s-aws-v1."
SIGNED_SECONDS: Final = 60  # as the official clients sign; EKS takes the token for 15 minutes all the same
TOKEN_SECONDS: Final = 14 * 60.0  # then a new one is made, as `aws eks get-token` tells kubectl to
SESSION_NAME: Final = "upid"
CONNECT_SECONDS: Final = 3.0
READ_SECONDS: Final = 5.0


def locate(eks: Eks) -> tuple[str, bytes]:
    """Return the API server's URL and its authority (PEM); NoAnswerError where AWS does not answer, another UnavailableError where it refuses."""
    with _told(f"EKS in {eks.region}"):
        found = _client(_session(eks), "eks").describe_cluster(name=eks.name)["cluster"]
    if not found.get("endpoint"):
        raise KubeconfigError(f"The EKS cluster {eks.name} has no endpoint yet: it is {found.get('status', 'in an unknown state')}.")
    return str(found["endpoint"]).rstrip("/"), base64.b64decode(found.get("certificateAuthority", {}).get("data", ""))


def token(eks: Eks) -> str:
    """Return a token: a signed request to STS that tells EKS who the caller is; errors as `locate`."""
    from botocore.signers import RequestSigner  # noqa: PLC0415 imports botocore

    with _told(f"STS in {eks.region}"):
        session = _session(eks)
        client = _client(session, "sts")
        credentials = session.get_credentials()
        if credentials is None:
            raise KubeconfigError("There are no AWS credentials to sign in to EKS with.")
        signer = RequestSigner(client.meta.service_model.service_id, eks.region, "sts", "v4", credentials, session.events)
        request = {
            "method": "GET", "url": f"https://sts.{eks.region}.{_suffix(eks.region)}/?Action=GetCallerIdentity&Version=2011-06-15", "body": {},
            "headers": {"x-k8s-aws-id": eks.name}, "context": {},
        }  # fmt: skip
        signed = signer.generate_presigned_url(request, region_name=eks.region, expires_in=SIGNED_SECONDS, operation_name="")
    return PREFIX + base64.urlsafe_b64encode(signed.encode()).decode().rstrip("=")


@contextlib.contextmanager
def _told(place: str) -> Iterator[None]:
    """Turn botocore's errors into the product's. An AWS that does not answer counts as a cluster that does not: nobody gets into it."""
    from upid.adapters.aws.errors import told  # noqa: PLC0415 imports botocore

    try:
        with told(place):
            yield
    except UnavailableError as error:
        if type(error) is not UnavailableError:
            raise
        raise NoAnswerError(error.detail) from error


def _suffix(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"


def _client(session: Any, service: str) -> Any:
    """Return a client that gives up in time: a cluster must not wait for AWS longer than for its own API server."""
    from botocore.config import Config  # noqa: PLC0415 takes half a second

    times = Config(connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"mode": "standard", "total_max_attempts": 2})
    return session.client(service, config=times)


def _session(eks: Eks) -> Any:
    """Return a session of the role, or of whoever the platform is where none is named."""
    import boto3  # noqa: PLC0415 takes half a second

    own = boto3.Session(region_name=eks.region)
    if not eks.role_arn:
        return own
    whose = {"ExternalId": eks.external_id} if eks.external_id else {}
    assumed = _client(own, "sts").assume_role(RoleArn=eks.role_arn, RoleSessionName=SESSION_NAME, **whose)["Credentials"]
    return boto3.Session(assumed["AccessKeyId"], assumed["SecretAccessKey"], assumed["SessionToken"], region_name=eks.region)

"""Links to objects of S3, signed with the role of whoever makes them."""

from __future__ import annotations

from dataclasses import dataclass

from upid.adapters.aws.clients import AwsClients
from upid.adapters.aws.errors import told
from upid.adapters.naming import hold_name


@dataclass(frozen=True, slots=True)
class S3Links:
    """Presigned GETs of one bucket. A link ends with the credentials that signed it, hours after any that the edge makes."""

    clients: AwsClients
    bucket: str

    def link(self, name: str, *, seconds: int, content_type: str) -> str:
        """Return a URL of the object; no request is made for it. ValueError for an impossible name."""
        parameters = {"Bucket": self.bucket, "Key": hold_name(name), "ResponseContentType": content_type}
        with told(f"The bucket {self.bucket} of S3"):
            return str(self.clients.get("s3").generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds))

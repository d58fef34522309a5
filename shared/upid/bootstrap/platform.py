"""Services that any other may need."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from upid.bootstrap.outside import Outside

if TYPE_CHECKING:
    from upid.services.caches import Caches
    from upid.services.cluster_records import ClusterRecords
    from upid.services.idempotency import IdempotencyKeys
    from upid.services.identity import IdentityService
    from upid.services.observing import Observing
    from upid.services.publishing import PublishingService
    from upid.services.surveys import Surveys
    from upid.services.transfer import TransferService


class Platform(Outside):
    """Who is calling, what clusters there are, keys of requests, the outbox, the move to another home."""

    @cached_property
    def caches(self) -> Caches:
        """What this process keeps for a while."""
        from upid.services.caches import Caches

        return Caches(self.settings.lifetimes, self.clock)

    @cached_property
    def identity(self) -> IdentityService:
        """Users, logins and tokens."""
        from upid.services.identity import IdentityService
        from upid.services.tokens import size_of

        sessions = self.caches.of("user_sessions", size_of)
        return IdentityService(
            self.records, self.events, self.sealer, self.clock, self.ids, self.settings.token_seconds, sessions, self.settings.lifetimes.api_rate_limits
        )  # fmt: skip

    @cached_property
    def publishing(self) -> PublishingService:
        """What empties the outbox, on AWS; the embedded platform publishes in its own process."""
        from upid.services.publishing import PublishingService

        return PublishingService(self.events, self.bus)

    @cached_property
    def cluster_records(self) -> ClusterRecords:
        """Records of clusters, and their credentials."""
        from upid.services.cluster_records import ClusterRecords, size_of
        from upid.services.own_identity import OwnIdentity

        cache = self.caches.of("cluster_configs", size_of)
        return ClusterRecords(self.records, self.sealer, cache, OwnIdentity(self.settings.own_identity))

    @cached_property
    def idempotency(self) -> IdempotencyKeys:
        """Keys that make a request safe to send twice."""
        from upid.services.idempotency import IdempotencyKeys

        return IdempotencyKeys(self.records, self.sealer, self.clock)

    @cached_property
    def surveys(self) -> Surveys:
        """What the last collections saw, as rows to show."""
        from upid.services.surveys import Surveys

        return Surveys(self.blobs)

    @cached_property
    def observing(self) -> Observing:
        """What changed between collections."""
        from upid.services.observing import Observing

        return Observing(self.surveys, self.blobs, self.events)

    @cached_property
    def transfer(self) -> TransferService:
        """The whole home, into an archive and back."""
        from upid.services.transfer import TransferService

        return TransferService(self.records, self.events, self.blobs, self.sealer, self.clock)

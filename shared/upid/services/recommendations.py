"""Recommendations as clients read and judge them: listed, read by id, reviewed, simulated.

They lie in one immutable table per shard of an analysis. What people decide lies beside, a record per reviewed recommendation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from upid.domain.errors import InvalidRequestError, NotFoundError, VersionConflictError
from upid.domain.events import Event
from upid.domain.identity import Caller
from upid.domain.ids import PREFIXES, RecommendationPlace, has_shape, recommendation_place
from upid.domain.recommendations import Review, may_follow
from upid.domain.times import format_time
from upid.ports.clock import Clock, Ids
from upid.ports.records import Key, Put, Record, Records
from upid.ports.usage_history import HistoryScope, UsageHistory
from upid.services.analyses import AnalysisService, NotAnalyzedError
from upid.services.cluster_records import ATTEMPTS, ClusterRecords
from upid.services.listing import Library
from upid.services.profiles import Profiles
from upid.services.recommendation_queries import Found, Listed, NothingToApproveError, RecommendationQuery, TransitionError
from upid.services.shelf import Shelf, Shelves
from upid.services.simulation import Simulator


@dataclass(frozen=True, slots=True)
class Origin:
    """The analysis that recommendations come from. `shards`: how many it has; `unreviewed`: how those read that nobody decided about."""

    tenant: str
    analysis_id: str
    cluster_id: str
    created_at: str
    shards: int
    unreviewed: Review


@dataclass(frozen=True, slots=True)
class RecommendationService:
    """Reads recommendations and keeps what is decided about them."""

    records: Records
    clusters: ClusterRecords
    analyses: AnalysisService
    shelves: Shelves
    profiles: Profiles
    history: UsageHistory
    clock: Clock
    ids: Ids

    def look_up(self, tenant: str, identifier: str, query: RecommendationQuery) -> Found | Listed:
        """Return one recommendation for its id, a page of them for a cluster's; NotFoundError for any other, NotAnalyzedError before an analysis."""
        if identifier.startswith(PREFIXES["recommendation"]):
            return self.get(tenant, identifier)
        return self.list(tenant, identifier, query)

    def get(self, tenant: str, recommendation_id: str) -> Found:
        """Return a recommendation; NotFoundError where there is none."""
        origin, shelf, row = self._place(tenant, recommendation_id)
        record = self.records.get(_review_key(tenant, recommendation_id))
        return _found(shelf.entries([row])[0] | _extra(origin, recommendation_id, record), record)

    def list(self, tenant: str, cluster_id: str, query: RecommendationQuery) -> Listed:
        """Return a page of a cluster's recommendations, those of its latest whole analysis unless another is named, none left out but by filters.

        A cursor goes on in the analysis that it began in, whatever comes after. Raises NotFoundError without the cluster or the analysis,
        NotAnalyzedError before the first one, InvalidRequestError for a cursor that is none.
        """
        latest = self.clusters.get(tenant, cluster_id).body["latest_analysis_id"]
        after = _cursor(query.cursor)
        analysis_id = after.analysis_id if after else query.analysis_id or latest
        if not analysis_id:
            raise NotAnalyzedError(f"{cluster_id} was not analyzed yet.", cluster_id=cluster_id)
        origin = self._origin(tenant, analysis_id)
        if origin.cluster_id != cluster_id or query.analysis_id not in {None, analysis_id}:
            raise NotFoundError(f"There is no {analysis_id} of {cluster_id}.", id=analysis_id)
        reviews = self._reviews(origin)
        library = Library.open(self.shelves, tenant, analysis_id, origin.shards)
        chosen = library.choose(query, {key: record.body["review"] for key, record in reviews.items()}, origin.unreviewed, after)
        page = [
            entry | _extra(origin, library.id(each), reviews.get(library.id(each)))
            for each, entry in zip(chosen, library.entries(chosen[: query.limit]), strict=False)
        ]
        return Listed(page, page[-1]["id"] if len(chosen) > query.limit else None)

    def review(self, caller: Caller, recommendation_id: str, review: Review, comment: str, *, if_match: str | None = None) -> Found:
        """Set a recommendation's review, with its event in the same transaction, and return it; the same review again changes its comment.

        Raises NotFoundError; TransitionError where the review may not follow; NothingToApproveError for an approval of no change;
        VersionConflictError where `if_match` is given and not the tag of what is there, or somebody else decided at the same moment.
        """
        origin, shelf, row = self._place(caller.tenant, recommendation_id)
        key, entry = _review_key(caller.tenant, recommendation_id), shelf.entries([row])[0]
        for attempt in range(ATTEMPTS):
            record = self.records.get(key)
            before = _found(entry | _extra(origin, recommendation_id, record), record)
            _hold(before, review, if_match)
            body = {"review": review, "comment": comment, "reviewed_by": caller.username, "reviewed_at": format_time(self.clock.now())}
            written = Record(key, body, (record.version if record else 0) + 1)
            try:
                self.records.transact([Put(key, body, expect=written.version - 1)], [self._reviewed(caller, before, body)])
            except VersionConflictError:
                if if_match or attempt == ATTEMPTS - 1:
                    raise
                continue
            break
        return _found(entry | _extra(origin, recommendation_id, written), written)

    def simulate(self, tenant: str, recommendation_id: str, values: Mapping[str, float | None]) -> dict[str, Any]:
        """Return what `values` would have done over the recommendation's window, beside the current and the recommended ones.

        `values` names some of the four requests and limits, None = not set; the others stay as they are now. Keys: recommendation_id, cluster_id,
        source, window, pods, samples, current, recommended, simulated. NotFoundError where no usage of the container is stored any more.
        """
        origin, shelf, row = self._place(tenant, recommendation_id)
        entry = shelf.entries([row])[0]
        current = entry["current"]
        asked = {"current": current, "recommended": entry["recommended"] or current, "simulated": current | dict(values)}
        place = recommendation_place(recommendation_id)
        scope = HistoryScope(tenant, origin.cluster_id, place.shard if place else 0)
        told = Simulator(self.history, self.profiles).simulate(scope, shelf.table, row, asked)
        return {"recommendation_id": recommendation_id, "cluster_id": origin.cluster_id} | told

    def _reviewed(self, caller: Caller, before: Found, body: Mapping[str, Any]) -> Event:
        data = {"cluster_id": before.entry["cluster_id"], "from": before.entry["review"], "to": body["review"], "comment": body["comment"]}
        return Event(
            self.ids.new("event"), "recommendation.reviewed", caller.tenant, before.entry["id"], self.clock.now(), data, caller.user_id
        )

    def _place(self, tenant: str, recommendation_id: str) -> tuple[Origin, Shelf, int]:
        place = recommendation_place(recommendation_id)
        if place is None:
            raise NotFoundError(f"There is no {recommendation_id[:100]}.", id=recommendation_id[:100])
        origin = self._origin(tenant, place.analysis_id)
        shelf = self.shelves.open(tenant, place.analysis_id, place.shard)
        if place.row >= shelf.rows:
            raise NotFoundError(f"There is no {recommendation_id}.", id=recommendation_id)
        return origin, shelf, place.row

    def _origin(self, tenant: str, analysis_id: str) -> Origin:
        if not has_shape(analysis_id, "analysis"):
            raise NotFoundError(f"There is no {analysis_id[:100]}.", id=analysis_id[:100])
        work = self.analyses.log.record(tenant, analysis_id).body
        cluster_id = work["request"].get("cluster_id", "")
        latest = self.clusters.get(tenant, cluster_id).body["latest_analysis_id"] or ""
        unreviewed: Review = "superseded" if analysis_id < latest else "open"
        return Origin(tenant, analysis_id, cluster_id, work["created_at"], work["parts"].get("shards", 0), unreviewed)

    def _reviews(self, origin: Origin) -> dict[str, Record]:
        begin = PREFIXES["recommendation"] + origin.analysis_id.removeprefix(PREFIXES["analysis"])
        found: dict[str, Record] = {}
        after: str | None = None
        while True:
            page = self.records.query(_review_key(origin.tenant, "").partition, prefix=begin, after=after, limit=1000)
            found |= {record.key.sort: record for record in page.items}
            after = page.after
            if after is None:
                return found


def _cursor(text: str | None) -> RecommendationPlace | None:
    place = recommendation_place(text) if text else None
    if text and place is None:
        raise InvalidRequestError([{"pointer": "?cursor", "detail": "This is no cursor: send the `next_cursor` of the page before."}])
    return place


def _review_key(tenant: str, recommendation_id: str) -> Key:
    return Key(f"t#{tenant}#reviews", recommendation_id)


def _extra(origin: Origin, recommendation_id: str, record: Record | None) -> dict[str, Any]:
    decided: Mapping[str, Any] = record.body if record else {"review": origin.unreviewed}
    return {
        "id": recommendation_id, "cluster_id": origin.cluster_id, "analysis_id": origin.analysis_id, "created_at": origin.created_at,
        "review": decided["review"], "review_comment": decided.get("comment"), "reviewed_by": decided.get("reviewed_by"),
        "reviewed_at": decided.get("reviewed_at"),
    }  # fmt: skip


def _found(entry: dict[str, Any], record: Record | None) -> Found:
    # What nobody reviewed has no version, yet it changes once: when a newer analysis supersedes it.
    return Found(entry, f'"{record.version if record else 0}-{entry["review"]}"')


def _hold(before: Found, review: Review, if_match: str | None) -> None:
    now: Review = before.entry["review"]
    if if_match and if_match != "*" and before.etag not in {tag.strip() for tag in if_match.split(",")}:
        raise VersionConflictError("The recommendation changed since it was read.", etag=before.etag)
    if review != now and not may_follow(now, review):
        raise TransitionError(f"A recommendation that is {now} cannot become {review}.", review=now)
    if review == "approved" and before.entry["status"] != "recommended":
        raise NothingToApproveError(f"This one is {before.entry['status']}: there is no change to approve.", status=before.entry["status"])

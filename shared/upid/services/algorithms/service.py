"""Algorithms: listed, preset by users, run on series, and what they found kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import orjson

from upid.domain.errors import ConflictError, InvalidRequestError, NotFoundError, VersionConflictError
from upid.domain.identity import Caller
from upid.domain.times import format_time
from upid.ports.blobs import Blobs
from upid.ports.clock import Clock, Ids
from upid.ports.records import Key, Records
from upid.services.algorithms.registry import ALGORITHMS, Algorithm
from upid.services.series import Asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from upid.services.usage_series import SeriesReader

MOST_PRESETS: Final = 500


class BuiltInAlgorithmError(ConflictError):
    """An algorithm of the engine does not change: register a preset of it."""

    title = "Built-in algorithm"


class TooManyPresetsError(ConflictError):
    """The tenant has as many presets as it may have."""

    title = "Too many presets"


@dataclass(frozen=True, slots=True)
class PresetDraft:
    """An algorithm with parameters under a name of its own."""

    name: str
    algorithm: str
    parameters: Mapping[str, Any]
    description: str = ""


@dataclass(frozen=True, slots=True)
class AlgorithmService:
    """Algorithms of the engine, presets of tenants, and their runs."""

    records: Records
    blobs: Blobs
    clock: Clock
    ids: Ids
    reader: Callable[[], SeriesReader]

    def all(self, tenant: str) -> list[dict[str, Any]]:
        """Return the engine's algorithms, then the tenant's presets, by id."""
        page = self.records.query(_preset_key(tenant, "").partition, limit=MOST_PRESETS)
        return [_built_in(algorithm) for algorithm in ALGORITHMS.values()] + [_preset(record.body) for record in page.items]

    def get(self, tenant: str, algorithm_id: str) -> dict[str, Any]:
        """Return an algorithm or a preset; NotFoundError where there is none."""
        if algorithm_id in ALGORITHMS:
            return _built_in(ALGORITHMS[algorithm_id])
        return _preset(self._record(tenant, algorithm_id).body)

    def create(self, caller: Caller, draft: PresetDraft) -> dict[str, Any]:
        """Register a preset; InvalidRequestError for an algorithm that there is not or parameters that do not fit, TooManyPresetsError."""
        if len(self.records.query(_preset_key(caller.tenant, "").partition, limit=MOST_PRESETS).items) >= MOST_PRESETS:
            raise TooManyPresetsError(f"There are at most {MOST_PRESETS} presets.")
        now = format_time(self.clock.now())
        stamps = {"created_at": now, "created_by": caller.username, "updated_at": now, "updated_by": caller.username}
        body = {"id": self.ids.new("algorithm"), "version": 1, **_body(draft), **stamps}
        self.records.put(_preset_key(caller.tenant, body["id"]), body, expect=0)
        return _preset(body)

    def replace(self, caller: Caller, algorithm_id: str, draft: PresetDraft, *, if_match: int | None) -> dict[str, Any]:
        """Write a preset's next version; runs keep the parameters that they had.

        Raises NotFoundError, BuiltInAlgorithmError, InvalidRequestError, VersionConflictError where `if_match` is not its version.
        """
        if algorithm_id in ALGORITHMS:
            raise BuiltInAlgorithmError(f"{algorithm_id} is of the engine: register a preset of it.", id=algorithm_id)
        record = self._record(caller.tenant, algorithm_id)
        if if_match not in {None, record.body["version"]}:
            raise VersionConflictError(f"{algorithm_id} changed since it was read.", id=algorithm_id)
        stamps = {"updated_at": format_time(self.clock.now()), "updated_by": caller.username}
        body = {**record.body, **_body(draft), **stamps, "version": record.body["version"] + 1}
        self.records.put(record.key, body, expect=record.version)
        return _preset(body)

    def execute(self, caller: Caller, algorithm_id: str, asked: Asked, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Run an algorithm or preset on series, store what it found, and return it.

        `parameters` go before those of a preset. Raises NotFoundError, InvalidRequestError, NothingCollectedError as the reader of series does.
        """
        from upid.services.algorithms.running import run  # noqa: PLC0415 API groups must start without numpy

        view = self.get(caller.tenant, algorithm_id)
        algorithm = ALGORITHMS[view["algorithm"]]
        completed = algorithm.completed({**view["preset"], **parameters})
        output = orjson.dumps(run(algorithm.id, completed, self.reader().read(caller.tenant, asked)))
        run_id = self.ids.new("run")
        body = {
            "run_id": run_id, "algorithm_id": algorithm_id, "preset_version": view["version"], "digest": hashlib.sha256(output).hexdigest(),
            "created_at": format_time(self.clock.now()), "created_by": caller.username,
        }  # fmt: skip
        self.blobs.put(_blob(caller.tenant, run_id), output)
        self.records.put(_run_key(caller.tenant, algorithm_id, run_id), body, expect=0)
        return body | {"output": orjson.loads(output)}

    def results(
        self, tenant: str, algorithm_id: str, *, run_id: str | None = None, after: str | None, limit: int
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Return a page of what an algorithm found, the newest first, or the one run that is named, and where to go on.

        Raises NotFoundError without the algorithm or the run.
        """
        self.get(tenant, algorithm_id)
        if run_id is not None:
            record = self.records.get(_run_key(tenant, algorithm_id, run_id))
            if record is None:
                raise NotFoundError(f"There is no run {run_id} of {algorithm_id}.", id=run_id)
            return [self._with_output(tenant, record.body)], None
        prefix = f"{algorithm_id}#"
        page = self.records.query(_run_key(tenant, "", "").partition, prefix=prefix, after=after, limit=limit, descending=True)
        return [self._with_output(tenant, record.body) for record in page.items], page.after

    def _with_output(self, tenant: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return dict(body) | {"output": orjson.loads(self.blobs.get(_blob(tenant, body["run_id"])))}

    def _record(self, tenant: str, algorithm_id: str) -> Any:
        found = self.records.get(_preset_key(tenant, algorithm_id))
        if found is None:
            raise NotFoundError(f"There is no algorithm {algorithm_id}.", id=algorithm_id)
        return found


def _body(draft: PresetDraft) -> dict[str, Any]:
    algorithm = ALGORITHMS.get(draft.algorithm)
    if algorithm is None:
        raise InvalidRequestError([{"pointer": "#/algorithm", "detail": f"There is {', '.join(ALGORITHMS)}."}])
    algorithm.completed(draft.parameters)
    return {"name": draft.name, "algorithm": draft.algorithm, "preset": dict(draft.parameters), "description": draft.description}


def _built_in(algorithm: Algorithm) -> dict[str, Any]:
    told = algorithm.body()
    title = told.pop("title")
    return told | {"name": title, "built_in": True, "algorithm": algorithm.id, "preset": {}}


def _preset(body: Mapping[str, Any]) -> dict[str, Any]:
    of = ALGORITHMS[body["algorithm"]].body()
    own = {name: body[name] for name in ("id", "version", "name", "algorithm", "preset")}
    return {**of, **own, "built_in": False, "description": body["description"] or of["description"]}


def _preset_key(tenant: str, algorithm_id: str) -> Key:
    return Key(f"t#{tenant}#algorithms", algorithm_id)


def _run_key(tenant: str, algorithm_id: str, run_id: str) -> Key:
    return Key(f"t#{tenant}#algorithm-runs", f"{algorithm_id}#{run_id}")


def _blob(tenant: str, run_id: str) -> str:
    return f"t/{tenant}/algorithm-runs/{run_id}.json"

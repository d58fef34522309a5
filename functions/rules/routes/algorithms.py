"""Routes of algorithms."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.rules.schemas.algorithms import AlgorithmOut, ExecuteIn, PresetIn, RunOut
from upid.domain.errors import NotFoundError, VersionConflictError
from upid.http.answers import created, version_of, versioned
from upid.http.api import PREFIX, Router
from upid.http.paging import Cursor, Limit, Page, slice_after
from upid.http.params import CurrentCaller, IfMatch, Injected
from upid.services.algorithms.service import BuiltInAlgorithmError, TooManyPresetsError
from upid.services.analyses import NothingCollectedError

router = Router("/algorithms", tag="Algorithm Management")

RunId = Annotated[str | None, Query(max_length=64, description="Only this run.")]
RunLimit = Annotated[int, Query(ge=1, le=50, description="How many items a page has at most.")]


@router.get("", permission="algorithms:read")
def list_algorithms(services: Injected, caller: CurrentCaller, limit: Limit = 100, cursor: Cursor = None) -> Page[AlgorithmOut]:
    """List the engine's algorithms with their parameters, and the presets, in the order of their ids."""
    views = services.algorithms.all(caller.tenant)
    page, following = slice_after(views, lambda view: str(view["id"]), after=cursor, limit=limit)
    return Page[AlgorithmOut](items=[AlgorithmOut.model_validate(view) for view in page], next_cursor=following)


@router.post("", permission="algorithms:write", status=201, errors=(TooManyPresetsError,))
def create_algorithm_preset(body: PresetIn, services: Injected, caller: CurrentCaller) -> Response[AlgorithmOut]:
    """Register a preset: an algorithm with parameters under a name."""
    preset = AlgorithmOut.model_validate(services.algorithms.create(caller, body.draft()))
    return created(preset, location=f"{PREFIX}/algorithms/{preset.id}", version=preset.version)


@router.get("/<algorithm_id>", permission="algorithms:read", errors=(NotFoundError,))
def get_algorithm(algorithm_id: str, services: Injected, caller: CurrentCaller) -> Response[AlgorithmOut]:
    """Return an algorithm or a preset, with its version as ETag."""
    view = AlgorithmOut.model_validate(services.algorithms.get(caller.tenant, algorithm_id))
    return versioned(view, view.version)


@router.put("/<algorithm_id>", permission="algorithms:write", errors=(NotFoundError, BuiltInAlgorithmError, VersionConflictError))
def replace_algorithm_preset(
    algorithm_id: str, body: PresetIn, services: Injected, caller: CurrentCaller, if_match: IfMatch = None
) -> Response[AlgorithmOut]:
    """Write a preset's next version. The engine's algorithms do not change."""
    preset = AlgorithmOut.model_validate(services.algorithms.replace(caller, algorithm_id, body.draft(), if_match=version_of(if_match)))
    return versioned(preset, preset.version)


@router.post("/<algorithm_id>/execute", permission="algorithms:execute", status=201, errors=(NotFoundError, NothingCollectedError))
def execute_algorithm(algorithm_id: str, body: ExecuteIn, services: Injected, caller: CurrentCaller) -> Response[RunOut]:
    """Run an algorithm or a preset on series of the request or on stored usage. What it found is answered and stored."""
    run = RunOut.model_validate(services.algorithms.execute(caller, algorithm_id, body.asked(), body.parameters))
    return created(run, location=f"{PREFIX}/algorithms/{algorithm_id}/results?run_id={run.run_id}")


@router.get("/<algorithm_id>/results", permission="algorithms:read", errors=(NotFoundError,))
def list_algorithm_results(  # noqa: PLR0917 the router passes them by name
    algorithm_id: str, services: Injected, caller: CurrentCaller, run_id: RunId = None, limit: RunLimit = 20, cursor: Cursor = None
) -> Page[RunOut]:
    """Return what an algorithm found, the newest first, as it was stored."""
    runs, after = services.algorithms.results(caller.tenant, algorithm_id, run_id=run_id, after=cursor, limit=limit)
    return Page.of(runs, after, RunOut.model_validate)

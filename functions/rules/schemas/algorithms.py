"""Algorithms, presets and runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from functions.prediction.schemas.series import SeriesBody
from upid.http.schemas import Answer, Body
from upid.services.algorithms.service import PresetDraft

Given = dict[str, StrictBool | StrictInt | StrictFloat | StrictStr]


class ParameterOut(Answer):
    """A parameter with its unit and bounds."""

    name: str
    kind: Literal["integer", "number", "choice", "boolean"]
    unit: str
    default: Any
    meaning: str
    minimum: float | None
    maximum: float | None
    choices: list[str]


class AlgorithmOut(Answer):
    """An algorithm of the engine, or a preset of one."""

    id: str
    version: int
    name: str
    built_in: bool
    algorithm: str = Field(description="The engine's algorithm; of a preset the one that it runs.")
    description: str
    source: str
    cost: str = Field(description="For n values of a series.")
    output: str
    parameters: list[ParameterOut]
    preset: dict[str, Any] = Field(description="Parameters that a preset sets.")


class PresetIn(Body):
    """An algorithm with parameters under a name."""

    name: str = Field(min_length=1, max_length=200)
    algorithm: str = Field(min_length=1, max_length=64, examples=["forecast"])
    parameters: Given = Field(default={}, max_length=20)
    description: str = Field(default="", max_length=2000)

    def draft(self) -> PresetDraft:
        """Return what the service takes."""
        return PresetDraft(self.name, self.algorithm, self.parameters, self.description)


class ExecuteIn(SeriesBody):
    """What to run on: series, or stored usage; and parameters, which go before those of a preset."""

    parameters: Given = Field(default={}, max_length=20)


class RunSeriesOut(Answer):
    """What was found in one series."""

    model_config = ConfigDict(extra="allow")

    name: str
    unit: str
    step_seconds: float
    steps: int
    missing: int
    warnings: list[str]
    result: dict[str, Any]


class RunOutputOut(Answer):
    """What a run found: the same input and parameters give the same bytes."""

    algorithm: str
    version: int
    parameters: dict[str, Any]
    input_digest: str = Field(description="SHA-256 of the series.")
    series: list[RunSeriesOut]


class RunOut(Answer):
    """A run of an algorithm."""

    run_id: str
    algorithm_id: str
    preset_version: int
    created_at: str
    created_by: str
    digest: str = Field(description="SHA-256 of `output` as it is stored.")
    output: RunOutputOut

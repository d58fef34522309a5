"""What every body and every answer is made from. Validators are built on first use: a cold start pays for the models that its request meets."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, SerializerFunctionWrapHandler, model_serializer
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Answer(BaseModel):
    """What we say, and parts of what we are told."""

    model_config = ConfigDict(defer_build=True)


class Body(BaseModel):
    """What we are told: a field that we don't know is refused, not ignored."""

    model_config = ConfigDict(defer_build=True, extra="forbid")


class PickedOut(Answer):
    """An item of which a query may pick fields: those that were not asked for are not there."""

    @model_serializer(mode="wrap")
    def only_picked(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Return the fields that were given."""
        told: dict[str, Any] = handler(self)
        return {name: value for name, value in told.items() if name in self.model_fields_set}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the schema of the fields: which of them are there changes nothing about their types."""
        return handler({key: value for key, value in core_schema.items() if key != "serialization"})

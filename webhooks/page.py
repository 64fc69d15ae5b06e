"""Which page of a list is asked for, in the query of every list of the API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from webhooks.schema.shape import digits


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, BeforeValidator(digits)] = Field(20, ge=1, le=100, description="How many")
    cursor: str | None = Field(None, pattern="^[!-~]+$", max_length=200, description="nextCursor of the page before")

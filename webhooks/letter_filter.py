"""Which dead letters are meant: in the query of a list, in the body of a replay."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from webhooks.page import PageQuery
from webhooks.schema.shape import moment
from workers.job import ErrorClass
from workers.store import Search

LetterKind: TypeAlias = Literal["update", "callback"]
"""What ends as a dead letter: the kinds of job that are some client's."""


def _moment(text: object) -> object:
    if text is not None and not isinstance(text, str):
        raise ValueError("must be a string")
    return moment(text) if text is not None else None


class LetterFilter(BaseModel):
    """Those for which everything that is given holds."""

    model_config = ConfigDict(extra="forbid")

    kind: LetterKind | None = Field(None, description="Only updates, or only callbacks")
    error_class: ErrorClass | None = Field(None, alias="class", description="Only of this class")
    mailbox: str | None = Field(None, pattern="^[!-~]+$", max_length=320, description="Only of this mailbox")
    since: Annotated[datetime | None, BeforeValidator(_moment)] = Field(
        None, description="Only those that died at or after this moment"
    )

    @property
    def search(self) -> Search:
        """The same, for the store."""
        return Search(kind=self.kind, mailbox=self.mailbox, error_class=self.error_class, since=self.since)


class LettersQuery(PageQuery, LetterFilter):
    """A page of them."""


class AskedReplay(LetterFilter):
    """Bring back all that match, or with ``dryRun`` only count them."""

    dry_run: bool = Field(False, alias="dryRun", strict=True, description="Only count them")

"""Which updates or dead letters a list shows, read from the query of its page."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Self
from urllib.parse import urlencode

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from webhooks.letter_filter import LetterKind
from webhooks.problems import Problem, unreadable
from workers.job import ErrorClass, State
from workers.store import Search


def _moment(text: object) -> object:
    """Takes RFC 3339, or what a browser's datetime-local field gives, which is meant in UTC. Gives UTC, which is what
    the fields show."""
    if not isinstance(text, str):
        return text
    moment = datetime.fromisoformat(text)
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is out of the calendar's range") from None


Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class Filters(BaseModel):
    """The list shows what meets every filter that is given. An empty field is not given."""

    model_config = ConfigDict(extra="ignore", frozen=True, hide_input_in_errors=True)

    state: State | None = None
    kind: LetterKind | None = None
    mailbox: Annotated[str | None, Field(pattern="^[!-~]{1,320}$")] = None
    client: Annotated[str | None, Field(pattern="^[A-Za-z0-9_-]{1,64}$")] = None
    error_class: Annotated[ErrorClass | None, Field(alias="class")] = None
    since: Moment = None
    until: Moment = None
    cursor: Annotated[str | None, Field(pattern="^[!-~]{1,200}$")] = None

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> Self:
        """The filters of a query. Raises Problem (400)."""
        try:
            return cls.model_validate({name: value.strip() for name, value in asked.items() if value.strip()})
        except ValidationError as error:
            raise _unreadable(error) from None

    def among(self, clients: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the clients that the filter allows; ``clients``: the ones that the visitor may see."""
        return tuple(name for name in clients if self.client in (None, name))

    @property
    def search(self) -> Search:
        """The same filters as the store takes them."""
        return Search(self.state, self.kind, self.mailbox, self.error_class, self.since, self.until)

    @property
    def given(self) -> dict[str, str]:
        """The same filters as fields of a form."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"cursor"})

    @property
    def page(self) -> dict[str, str]:
        """The same filters and where the page begins, as parameters of an address."""
        return {**self.given, "cursor": self.cursor} if self.cursor else self.given

    def older(self, cursor: str) -> str:
        """The same filters as a query, for the page that begins at a cursor."""
        return urlencode({**self.given, "cursor": cursor})


def _unreadable(error: ValidationError) -> Problem:
    first = error.errors(include_url=False, include_input=False)[0]
    return unreadable(str(first["loc"][0]), "this is not one of its values")

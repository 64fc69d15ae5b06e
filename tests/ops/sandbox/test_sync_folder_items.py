"""What SyncFolderItems tells of a calendar, as a client meets it that keeps a copy."""

from __future__ import annotations

import pytest
from lxml import etree

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from tests.ops.sandbox.test_ews import NS, Answer, Ews, ews, schema  # noqa: F401 - fixtures

CALENDAR = '<t:DistinguishedFolderId Id="calendar"/>'
PROJECTS = seed.OTTO.calendars[1].id
Told = list[tuple[str, str]]


def sync(state: str | None = None, folder: str = CALENDAR, most: int = 512) -> str:
    stated = "" if state is None else f"<m:SyncState>{state}</m:SyncState>"
    return (
        "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>"
        f"<m:SyncFolderId>{folder}</m:SyncFolderId>{stated}<m:MaxChangesReturned>{most}</m:MaxChangesReturned>"
        "</m:SyncFolderItems>"
    )


def told(answer: Answer) -> Told:
    """Kind and id of every change."""
    assert answer.codes == ["NoError"]
    ids = [(change, change.find(".//t:ItemId", NS)) for change in answer.root.iterfind(".//m:Changes/*", NS)]
    return [(etree.QName(change).localname, str(found.get("Id"))) for change, found in ids if found is not None]


def state_of(answer: Answer) -> str:
    return str(answer.text("m:SyncState"))


def test_the_first_round_tells_of_every_item_as_new(ews: Ews) -> None:  # noqa: F811
    assert told(ews(sync())) == [("Create", seed.TENNIS_LESSON), ("Create", seed.TEAM_BUILDING)]


def test_every_page_of_the_first_round_tells_of_new_items(ews: Ews) -> None:  # noqa: F811
    found: Told = []
    state, last = None, "false"
    while last == "false":
        page = ews(sync(state, most=1))
        found += told(page)
        state, last = state_of(page), str(page.text("m:IncludesLastItemInRange"))
    assert found == [("Create", seed.TENNIS_LESSON), ("Create", seed.TEAM_BUILDING)]


def test_a_later_round_tells_what_is_new_what_changed_and_what_is_gone(ews: Ews, sandbox: Sandbox) -> None:  # noqa: F811
    state = state_of(ews(sync()))
    new = sandbox.create_event("otto@hq.example", {"subject": "New"})
    sandbox.edit(new.id, {"subject": "Newer"})
    sandbox.edit(seed.TENNIS_LESSON, {"subject": "Changed"})
    sandbox.delete(seed.TEAM_BUILDING)
    later = ews(sync(state))
    assert told(later) == [("Create", new.id), ("Update", seed.TENNIS_LESSON), ("Delete", seed.TEAM_BUILDING)]
    assert told(ews(sync(state_of(later)))) == []


def test_an_item_that_came_and_went_between_two_rounds_is_not_told(ews: Ews, sandbox: Sandbox) -> None:  # noqa: F811
    state = state_of(ews(sync()))
    sandbox.delete(sandbox.create_event("otto@hq.example").id)
    assert told(ews(sync(state))) == []


def test_a_calendar_hears_nothing_of_another(ews: Ews, sandbox: Sandbox) -> None:  # noqa: F811
    project = sandbox.create_event("otto@hq.example", calendar=PROJECTS)
    state = state_of(ews(sync()))
    sandbox.edit(project.id, {"subject": "Changed"})
    sandbox.edit(seed.LETS_GO_FOR_LUNCH, {"subject": "Changed"})
    assert told(ews(sync(state))) == []
    assert told(ews(sync(folder=f'<t:FolderId Id="{PROJECTS}"/>'))) == [("Create", project.id)]


@pytest.mark.parametrize("state", ["nonsense", "20200101-1"])
def test_a_state_that_is_none_is_refused(ews: Ews, state: str) -> None:  # noqa: F811
    assert ews(sync(state)).codes == ["ErrorInvalidSyncStateData"]


def test_a_state_from_before_a_reset_is_refused(ews: Ews, sandbox: Sandbox) -> None:  # noqa: F811
    state = state_of(ews(sync()))
    sandbox.reset()
    assert ews(sync(state)).codes == ["ErrorInvalidSyncStateData"]


def test_a_folder_that_is_not_there_is_refused(ews: Ews) -> None:  # noqa: F811
    assert ews(sync(folder='<t:FolderId Id="AAMkAGE="/>')).codes == ["ErrorSyncFolderNotFound"]

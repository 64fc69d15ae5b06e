"""UpdateItem and its relatives on the wire; every answer fits Microsoft's schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from lxml import etree

from ops.sandbox import seed
from ops.sandbox.control import Sandbox
from ops.sandbox.event import graph_form
from tests.ops.sandbox.conftest import plain, token

NS = {
    "s": "http://schemas.xmlsoap.org/soap/envelope/",
    "t": "http://schemas.microsoft.com/exchange/services/2006/types",
    "m": "http://schemas.microsoft.com/exchange/services/2006/messages",
    "e": "http://schemas.microsoft.com/exchange/services/2006/errors",
}
XMLNS = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in NS.items())
IMPERSONATION = "<t:ExchangeImpersonation><t:ConnectingSID>{}</t:ConnectingSID></t:ExchangeImpersonation>"
OTTO = IMPERSONATION.format("<t:PrimarySmtpAddress>otto@hq.example</t:PrimarySmtpAddress>")
SCHEMA = Path(__file__).resolve().parents[3] / "../shared/reference/ews2016/ews-envelope.xsd"
MARKER = (
    '<t:ExtendedFieldURI PropertySetId="8F9C2D5E-6C1B-4F0A-9D3B-5A7E1C0B4D26" PropertyName="a-marker" '
    'PropertyType="String"/>'
)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer with its envelope."""

    status: int
    root: etree._Element
    headers: httpx.Headers

    def text(self, path: str) -> str | None:
        return self.root.findtext(f".//{path}", None, NS)

    @property
    def codes(self) -> list[str]:
        return [str(code.text) for code in self.root.iterfind(".//m:ResponseCode", NS)]

    @property
    def fault(self) -> str | None:
        return self.text("e:ResponseCode")


Ews = Callable[..., Answer]


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema | None:
    return etree.XMLSchema(etree.parse(SCHEMA)) if SCHEMA.exists() else None


@pytest.fixture
def ews(sandbox: Sandbox, schema: etree.XMLSchema | None) -> Ews:
    """Send an operation as the service account that impersonates Otto."""
    client = plain(sandbox, auth=(seed.SERVICE_USER, seed.SERVICE_PASSWORD))

    def send(operation: str, header: str = OTTO, version: str = "Exchange2013_SP1") -> Answer:
        envelope = (
            f'<s:Envelope {XMLNS}><s:Header><t:RequestServerVersion Version="{version}"/>{header}</s:Header>'
            f"<s:Body>{operation}</s:Body></s:Envelope>"
        )
        reply = client.post(sandbox.ews_url, content=envelope, headers={"Content-Type": "text/xml; charset=utf-8"})
        root = etree.fromstring(reply.content)
        if schema is not None and reply.status_code == 200:
            schema.assertValid(root)
        return Answer(reply.status_code, root, reply.headers)

    return send


def get(event: str = seed.TEAM_BUILDING, shape: str = "AllProperties", more: str = "") -> str:
    return (
        f"<m:GetItem><m:ItemShape><t:BaseShape>{shape}</t:BaseShape>{more}</m:ItemShape>"
        f'<m:ItemIds><t:ItemId Id="{event}"/></m:ItemIds></m:GetItem>'
    )


def change(updates: str, event: str = seed.TEAM_BUILDING, key: str | None = None) -> str:
    stated = "" if key is None else f' ChangeKey="{key}"'
    return f'<t:ItemChange><t:ItemId Id="{event}"{stated}/><t:Updates>{updates}</t:Updates></t:ItemChange>'


def update(changes: str, resolution: str = "AlwaysOverwrite", send: str | None = "SendToNone") -> str:
    mode = "" if send is None else f' SendMeetingInvitationsOrCancellations="{send}"'
    return (
        f'<m:UpdateItem ConflictResolution="{resolution}" MessageDisposition="SaveOnly"{mode}>'
        f"<m:ItemChanges>{changes}</m:ItemChanges></m:UpdateItem>"
    )


def put(uri: str, content: str) -> str:
    return f'<t:SetItemField><t:FieldURI FieldURI="{uri}"/><t:CalendarItem>{content}</t:CalendarItem></t:SetItemField>'


def delete(uri: str) -> str:
    return f'<t:DeleteItemField><t:FieldURI FieldURI="{uri}"/></t:DeleteItemField>'


def append(uri: str, content: str) -> str:
    return (
        f'<t:AppendToItemField><t:FieldURI FieldURI="{uri}"/><t:CalendarItem>{content}</t:CalendarItem>'
        "</t:AppendToItemField>"
    )


def invited(element: str, *addresses: str) -> str:
    mailboxes = (f"<t:EmailAddress>{address}</t:EmailAddress>" for address in addresses)
    people = "".join(f"<t:Attendee><t:Mailbox>{mailbox}</t:Mailbox></t:Attendee>" for mailbox in mailboxes)
    return f"<t:{element}>{people}</t:{element}>"


def repeated(kind: str, parts: str) -> str:
    pattern = f"<t:{kind}Recurrence>{parts}</t:{kind}Recurrence>"
    span = "<t:NoEndRecurrence><t:StartDate>2026-12-03</t:StartDate></t:NoEndRecurrence>"
    return put("calendar:Recurrence", f"<t:Recurrence>{pattern}{span}</t:Recurrence>")


SUBJECT = put("item:Subject", "<t:Subject>Moved</t:Subject>")


def key_of(sandbox: Sandbox, event: str = seed.TEAM_BUILDING) -> str:
    return sandbox.event(event).ews_change_key


def test_every_property_is_shown_in_the_schemas_order(ews: Ews, sandbox: Sandbox) -> None:
    recurrence = {
        "pattern": {"type": "relativeMonthly", "interval": 2, "daysOfWeek": ["tuesday"], "index": "second"},
        "range": {"type": "endDate", "startDate": "2026-12-03", "endDate": "2027-12-03"},
    }
    sandbox.edit(seed.TEAM_BUILDING, {"recurrence": recurrence, "categories": ["Fun", "Team"]})
    answer = ews(get())
    assert answer.codes == ["NoError"]
    assert answer.text("t:Subject") == "Team building exercise"
    assert answer.text("t:Start") == "2026-12-03T20:00:00Z"
    assert answer.text("t:IsMeeting") == "true"
    assert answer.text("t:DayOfWeekIndex") == "Second"
    assert answer.root.find(".//t:StartTimeZone", NS).get("Id") == "Pacific Standard Time"  # type: ignore[union-attr]


def test_only_what_was_asked_for_is_shown(ews: Ews) -> None:
    more = '<t:AdditionalProperties><t:FieldURI FieldURI="calendar:Location"/></t:AdditionalProperties>'
    answer = ews(get(shape="IdOnly", more=more))
    [item] = answer.root.iterfind(".//t:CalendarItem", NS)
    assert [etree.QName(child).localname for child in item] == ["ItemId", "Location"]


def test_the_seed_update_changes_the_event_and_mails_everybody(ews: Ews, sandbox: Sandbox) -> None:
    attendees = invited(
        "RequiredAttendees", "Mack.Chaves@contoso.com", "Sadie.Daniels@contoso.com", "alisa@contoso.com"
    )
    updates = (
        SUBJECT
        + put("calendar:Location", "<t:Location>4567 Contoso Way</t:Location>")
        + put("calendar:RequiredAttendees", attendees)
        + put("calendar:Resources", invited("Resources", "dlpprojector@contoso.com"))
    )
    answer = ews(update(change(updates, key=key_of(sandbox)), send="SendToAllAndSaveCopy"))
    assert answer.codes == ["NoError"]
    assert answer.text("t:Count") == "0"
    seen = sandbox.event(seed.TEAM_BUILDING)
    assert seen.ews_change_key == answer.root.find(".//t:ItemId", NS).get("ChangeKey")  # type: ignore[union-attr]
    assert [(one["type"], one["emailAddress"]["address"]) for one in seen.properties["attendees"]][2:] == [
        ("required", "alisa@contoso.com"),
        ("resource", "dlpprojector@contoso.com"),
    ]
    assert {(mail.attendee, mail.kind) for mail in sandbox.invitations()} == {
        ("Mack.Chaves@contoso.com", "update"),
        ("Sadie.Daniels@contoso.com", "update"),
        ("alisa@contoso.com", "request"),
        ("dlpprojector@contoso.com", "request"),
    }


@pytest.mark.parametrize(
    ("mode", "mailed"),
    [
        ("SendToNone", set()),
        ("SendOnlyToAll", {"Mack.Chaves@contoso.com", "new@contoso.com", "Sadie.Daniels@contoso.com"}),
        ("SendToAllAndSaveCopy", {"Mack.Chaves@contoso.com", "new@contoso.com", "Sadie.Daniels@contoso.com"}),
        ("SendOnlyToChanged", {"new@contoso.com", "Sadie.Daniels@contoso.com"}),
        ("SendToChangedAndSaveCopy", {"new@contoso.com", "Sadie.Daniels@contoso.com"}),
    ],
)
def test_each_mode_mails_whom_it_says(ews: Ews, sandbox: Sandbox, mode: str, mailed: set[str]) -> None:
    people = put(
        "calendar:RequiredAttendees", invited("RequiredAttendees", "Mack.Chaves@contoso.com", "new@contoso.com")
    )
    ews(update(change(people, key=key_of(sandbox)), send=mode))
    assert {mail.attendee for mail in sandbox.invitations()} == mailed


def test_sending_about_an_appointment_makes_it_a_meeting(ews: Ews, sandbox: Sandbox) -> None:
    key = key_of(sandbox, seed.TENNIS_LESSON)
    ews(update(change(SUBJECT, seed.TENNIS_LESSON, key), send="SendToAllAndSaveCopy"))
    assert sandbox.event(seed.TENNIS_LESSON).is_meeting


@pytest.mark.parametrize(
    ("resolution", "key", "code"),
    [
        ("NeverOverwrite", "current", "NoError"),
        ("NeverOverwrite", "stale", "ErrorIrresolvableConflict"),
        ("NeverOverwrite", None, "ErrorChangeKeyRequiredForWriteOperations"),
        ("NeverOverwrite", "unparsable", "ErrorInvalidChangeKey"),
        ("AutoResolve", "stale", "NoError"),
        ("AutoResolve", None, "ErrorChangeKeyRequired"),
        ("AlwaysOverwrite", "stale", "NoError"),
        ("AlwaysOverwrite", None, "ErrorChangeKeyRequiredForWriteOperations"),
    ],
)
def test_each_conflict_mode_takes_the_change_keys_that_it_may(
    ews: Ews, sandbox: Sandbox, resolution: str, key: str | None, code: str
) -> None:
    old = key_of(sandbox)
    sandbox.touch(seed.TEAM_BUILDING)
    keys = {"current": key_of(sandbox), "stale": old, "unparsable": "DwAAAB", None: None}
    answer = ews(update(change(SUBJECT, key=keys[key]), resolution))
    assert answer.codes == [code]
    assert (sandbox.event(seed.TEAM_BUILDING).properties["subject"] == "Moved") == (code == "NoError")


def test_auto_resolve_may_keep_the_old_value_and_still_say_success(ews: Ews, sandbox: Sandbox) -> None:
    old = key_of(sandbox)
    sandbox.touch(seed.TEAM_BUILDING)
    updates = SUBJECT + put("item:Sensitivity", "<t:Sensitivity>Private</t:Sensitivity>")
    answer = ews(update(change(updates, key=old), "AutoResolve"))
    assert (answer.codes, answer.text("t:Count")) == (["NoError"], "1")
    seen = sandbox.event(seed.TEAM_BUILDING).properties
    assert (seen["subject"], seen["sensitivity"]) == ("Moved", "normal")


@pytest.mark.parametrize(
    ("updates", "code"),
    [
        (put("calendar:IsMeeting", "<t:IsMeeting>true</t:IsMeeting>"), "ErrorInvalidPropertySet"),
        (put("calendar:IsOrganizer", "<t:IsOrganizer>true</t:IsOrganizer>"), "ErrorInvalidPropertySet"),
        (put("item:Subject", "<t:Location>x</t:Location>"), "ErrorUpdatePropertyMismatch"),
        (put("item:Subject", "<t:Subject>a</t:Subject>" * 2), "ErrorIncorrectUpdatePropertyCount"),
        (append("item:Subject", "<t:Subject>x</t:Subject>"), "ErrorInvalidPropertyAppend"),
        (append("item:Body", '<t:Body BodyType="HTML">x</t:Body>'), "ErrorInvalidPropertyAppend"),
        (delete("calendar:Start"), "ErrorInvalidPropertyDelete"),
        (put("calendar:End", "<t:End>2026-12-01T00:00:00Z</t:End>"), "ErrorCalendarEndDateIsEarlierThanStartDate"),
        (put("calendar:End", "<t:End>2032-12-01T00:00:00Z</t:End>"), "ErrorCalendarDurationIsTooLong"),
    ],
)  # fmt: skip
def test_a_refused_update_changes_nothing(ews: Ews, sandbox: Sandbox, updates: str, code: str) -> None:
    before = sandbox.event(seed.TEAM_BUILDING)
    answer = ews(update(change(SUBJECT + updates, key=before.ews_change_key)))
    assert (answer.status, answer.codes) == (200, [code])
    assert sandbox.event(seed.TEAM_BUILDING) == before


@pytest.mark.parametrize(
    "operation",
    [
        update(change(put("item:Subjekt", "<t:Subject>x</t:Subject>"), key="k")),
        update(change(put("item:Importance", "<t:Importance>Huge</t:Importance>"), key="CURRENT")),
        update(change(SUBJECT, key="k"), resolution="Sometimes"),
        update(change(SUBJECT, key="k"), send="SendToEverybody"),
        update(change("", key="k")),
        update(change(repeated("Daily", "<t:Interval>often</t:Interval>"), key="CURRENT")),
        update(
            change(repeated("AbsoluteYearly", "<t:DayOfMonth>1</t:DayOfMonth><t:Month>Mai</t:Month>"), key="CURRENT")
        ),
        get(shape="Everything"),
    ],
)
def test_a_breach_of_the_schema_is_a_fault(ews: Ews, sandbox: Sandbox, operation: str) -> None:
    before = sandbox.event(seed.TEAM_BUILDING)
    answer = ews(operation.replace("CURRENT", before.ews_change_key))
    assert (answer.status, answer.fault) == (500, "ErrorSchemaValidation")
    assert answer.text("t:Violation")
    assert sandbox.event(seed.TEAM_BUILDING) == before
    assert sandbox.calls()[-1].status == 500


def test_a_comment_says_nothing(ews: Ews, sandbox: Sandbox) -> None:
    remarked = put("item:Subject", "<!-- new --><t:Subject>Mo<!-- and so on -->ved</t:Subject>")
    assert ews(update(change(f"<!-- one -->{remarked}", key=key_of(sandbox)))).codes == ["NoError"]
    assert sandbox.event(seed.TEAM_BUILDING).properties["subject"] == "Moved"


def test_garbage_is_a_fault(sandbox: Sandbox) -> None:
    reply = plain(sandbox, auth=(seed.SERVICE_USER, seed.SERVICE_PASSWORD)).post(sandbox.ews_url, content=b"<half")
    assert (reply.status_code, b"ErrorSchemaValidation" in reply.content) == (500, True)


def test_invitations_have_to_be_decided_on(ews: Ews, sandbox: Sandbox) -> None:
    answer = ews(update(change(SUBJECT, key=key_of(sandbox)), send=None))
    assert answer.codes == ["ErrorSendMeetingInvitationsOrCancellationsRequired"]


@pytest.mark.parametrize(("event", "code"), [("AAMkAGE=", "ErrorItemNotFound"), ("x!", "ErrorInvalidIdMalformed")])
def test_an_item_that_is_not_there(ews: Ews, sandbox: Sandbox, event: str, code: str) -> None:
    assert ews(get(event)).codes == [code]
    assert ews(update(change(SUBJECT, event, key_of(sandbox)))).codes == [code]


def test_several_changes_are_answered_in_order(ews: Ews, sandbox: Sandbox) -> None:
    good = change(SUBJECT, key=key_of(sandbox))
    bad = change(SUBJECT, "AAMkAGE=", key_of(sandbox))
    tennis = change(SUBJECT, seed.TENNIS_LESSON, key_of(sandbox, seed.TENNIS_LESSON))
    assert ews(update(good + bad + tennis)).codes == ["NoError", "ErrorItemNotFound", "NoError"]


def test_appending_adds_to_what_is_there(ews: Ews, sandbox: Sandbox) -> None:
    updates = append("item:Body", '<t:Body BodyType="Text"> More.</t:Body>')
    updates += append("item:Body", '<t:Body BodyType="Text"> Much.</t:Body>')
    updates += append("calendar:OptionalAttendees", invited("OptionalAttendees", "one@contoso.com"))
    updates += append("calendar:OptionalAttendees", invited("OptionalAttendees", "two@contoso.com"))
    ews(update(change(updates, key=key_of(sandbox))))
    seen = sandbox.event(seed.TEAM_BUILDING).properties
    assert seen["body"]["content"].endswith("have lunch! More. Much.")
    assert [one["emailAddress"]["address"] for one in seen["attendees"]][2:] == ["one@contoso.com", "two@contoso.com"]


@pytest.mark.parametrize(
    ("uri", "appended", "put_last"),
    [
        ("item:Body", '<t:Body BodyType="Text"> More.</t:Body>', '<t:Body BodyType="HTML">Less</t:Body>'),
        (
            "calendar:RequiredAttendees",
            invited("RequiredAttendees", "one@contoso.com"),
            invited("RequiredAttendees", "two@contoso.com"),
        ),
    ],
)
def test_actions_are_done_in_the_order_given(
    ews: Ews, sandbox: Sandbox, uri: str, appended: str, put_last: str
) -> None:
    ews(update(change(append(uri, appended) + put(uri, put_last), key=key_of(sandbox))))
    seen = sandbox.event(seed.TEAM_BUILDING)
    ews(update(change(put(uri, put_last), key=seen.ews_change_key)))
    assert sandbox.event(seed.TEAM_BUILDING).properties == seen.properties
    ews(update(change(append(uri, appended) + delete(uri), key=key_of(sandbox))))
    assert ews(get()).text(f"t:{uri.partition(':')[2]}") in (None, "")


def test_deleting_unsets(ews: Ews, sandbox: Sandbox) -> None:
    ews(update(change(delete("calendar:Location") + delete("calendar:RequiredAttendees"), key=key_of(sandbox))))
    answer = ews(get())
    assert answer.text("t:Location") is None
    assert answer.text("t:RequiredAttendees") is None


@pytest.mark.parametrize(
    ("updates", "header", "start"),
    [
        ("<t:Start>2026-12-03T10:00:00Z</t:Start>", "", ("2026-12-03T02:00:00", "Pacific Standard Time")),
        ("<t:Start>2026-12-03T10:00:00+01:00</t:Start>", "", ("2026-12-03T01:00:00", "Pacific Standard Time")),
        ("<t:Start>2026-12-03T10:00:00</t:Start>", "", ("2026-12-03T10:00:00", "Pacific Standard Time")),
        ('<t:StartTimeZone Id="Central Standard Time"/>', "", ("2026-12-03T12:00:00", "Central Standard Time")),
    ],
)
def test_a_start_means_what_its_zone_says(
    ews: Ews, sandbox: Sandbox, updates: str, header: str, start: tuple[str, str]
) -> None:
    name = etree.fromstring(f"<x {XMLNS}>{updates}</x>")[0]
    ews(update(change(put(f"calendar:{etree.QName(name).localname}", updates), key=key_of(sandbox))))
    seen = sandbox.event(seed.TEAM_BUILDING).properties["start"]
    assert (seen["dateTime"], seen["timeZone"]) == start


def test_to_exchange_2007_a_start_without_a_zone_is_in_utc(ews: Ews, sandbox: Sandbox) -> None:
    updates = put("calendar:Start", "<t:Start>2026-12-03T10:00:00</t:Start>")
    ews(update(change(updates, key=key_of(sandbox))), version="Exchange2007_SP1")
    seen = sandbox.event(seed.TEAM_BUILDING).properties["start"]
    assert seen == {"dateTime": "2026-12-03T02:00:00", "timeZone": "Pacific Standard Time"}


def test_a_new_item_without_a_zone_takes_that_of_the_context(ews: Ews, sandbox: Sandbox) -> None:
    item = "<t:Subject>New</t:Subject><t:Start>2026-12-09T09:00:00</t:Start><t:End>2026-12-09T10:00:00</t:End>"
    operation = (
        '<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem>'
        f"{item}</t:CalendarItem></m:Items></m:CreateItem>"
    )
    zone = '<t:TimeZoneContext><t:TimeZoneDefinition Id="Tokyo Standard Time"/></t:TimeZoneContext>'
    made = ews(operation, header=OTTO + zone).root.find(".//t:ItemId", NS)
    assert made is not None
    seen = sandbox.event(str(made.get("Id"))).properties["start"]
    assert seen == {"dateTime": "2026-12-09T09:00:00", "timeZone": "Tokyo Standard Time"}


def test_an_all_day_item_reaches_from_midnight_to_midnight(ews: Ews, sandbox: Sandbox) -> None:
    ews(update(change(put("calendar:IsAllDayEvent", "<t:IsAllDayEvent>true</t:IsAllDayEvent>"), key=key_of(sandbox))))
    seen = sandbox.event(seed.TEAM_BUILDING).properties
    assert (seen["start"]["dateTime"], seen["end"]["dateTime"]) == ("2026-12-03T00:00:00", "2026-12-04T00:00:00")


def test_both_apis_see_one_event_and_one_marker(ews: Ews, sandbox: Sandbox) -> None:
    anna = IMPERSONATION.format("<t:SmtpAddress>anna@contoso.com</t:SmtpAddress>")
    lunch = seed.LETS_GO_FOR_LUNCH
    stamp = f"<t:ExtendedProperty>{MARKER}<t:Value>upd_1</t:Value></t:ExtendedProperty>"
    updates = f"<t:SetItemField>{MARKER}<t:CalendarItem>{stamp}</t:CalendarItem></t:SetItemField>" + SUBJECT
    assert ews(update(change(updates, lunch, key_of(sandbox, lunch))), header=anna).codes == ["NoError"]
    name = "String {8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26} Name a-marker"
    bearer = {"Authorization": f"Bearer {token(sandbox, grant_type='client_credentials')}"}
    seen = plain(sandbox, headers=bearer).get(
        f"{sandbox.graph_url}/users/anna@contoso.com/events/{graph_form(lunch)}",
        params={"$expand": f"singleValueExtendedProperties($filter=id eq '{name}')"},
    )
    assert seen.json()["subject"] == "Moved"
    assert seen.json()["singleValueExtendedProperties"] == [{"id": name, "value": "upd_1"}]
    more = f"<t:AdditionalProperties>{MARKER}</t:AdditionalProperties>"
    assert ews(get(lunch, "IdOnly", more), header=anna).text("t:ExtendedProperty/t:Value") == "upd_1"


def test_impersonation_opens_one_mailbox_only(ews: Ews, sandbox: Sandbox) -> None:
    assert ews(get(seed.LETS_GO_FOR_LUNCH)).codes == ["ErrorItemNotFound"]
    nobody = IMPERSONATION.format("<t:PrimarySmtpAddress>nobody@hq.example</t:PrimarySmtpAddress>")
    assert ews(get(), header=nobody).fault == "ErrorNonExistentMailbox"


def test_only_those_with_the_role_may_impersonate(sandbox: Sandbox) -> None:
    envelope = f"<s:Envelope {XMLNS}><s:Header>{OTTO}</s:Header><s:Body>{get()}</s:Body></s:Envelope>"
    anna = plain(sandbox, auth=("anna@contoso.com", seed.SERVICE_PASSWORD))
    assert b"ErrorImpersonateUserDenied" in anna.post(sandbox.ews_url, content=envelope).content


def test_an_application_has_to_impersonate(sandbox: Sandbox) -> None:
    bearer = {"Authorization": f"Bearer {token(sandbox, grant_type='client_credentials')}"}
    client = plain(sandbox, headers=bearer)
    bare = f"<s:Envelope {XMLNS}><s:Body>{get()}</s:Body></s:Envelope>"
    assert b"ErrorImpersonationRequired" in client.post(sandbox.ews_url, content=bare).content
    full = f"<s:Envelope {XMLNS}><s:Header>{OTTO}</s:Header><s:Body>{get()}</s:Body></s:Envelope>"
    assert b"Team building exercise" in client.post(sandbox.ews_url, content=full).content


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_stranger_is_asked_to_sign_in(sandbox: Sandbox, password: str) -> None:
    reply = plain(sandbox, auth=(seed.SERVICE_USER, password)).post(sandbox.ews_url, content=b"")
    assert (reply.status_code, reply.headers["WWW-Authenticate"].split()[0]) == (401, "Basic")


def test_a_version_from_the_future_is_refused(ews: Ews) -> None:
    assert ews(get(), version="Exchange2099").fault == "ErrorInvalidServerVersion"


def test_more_calls_at_once_than_a_mailbox_takes_are_refused(ews: Ews, sandbox: Sandbox) -> None:
    sandbox.behave(ews_concurrency=0)
    answer = ews(get())
    assert (answer.status, answer.fault) == (500, "ErrorExceededConnectionCount")
    sandbox.behave(ews_concurrency=1)
    assert ews(get()).codes == ["NoError"]


@pytest.mark.parametrize(
    ("operation", "known"),
    [
        (update(change(put("calendar:StartTimeZone", '<t:StartTimeZone Id="UTC"/>'), key="CURRENT")), "Exchange2010"),
        (get(more='<t:AdditionalProperties><t:FieldURI FieldURI="calendar:EnhancedLocation"/>'
             "</t:AdditionalProperties>"), "Exchange2013"),
        ('<m:CreateItem SendMeetingInvitations="SendToNone"><m:Items><t:CalendarItem><t:EndTimeZone Id="UTC"/>'
         "</t:CalendarItem></m:Items></m:CreateItem>", "Exchange2010"),
    ],
)  # fmt: skip
def test_what_is_newer_than_the_stated_version_is_refused(
    ews: Ews, sandbox: Sandbox, operation: str, known: str
) -> None:
    operation = operation.replace("CURRENT", key_of(sandbox))
    assert ews(operation, version="Exchange2007_SP1").fault == "ErrorIncorrectSchemaVersion"
    assert ews(operation, version=known).codes == ["NoError"]
    assert ews(operation, version="V2017_07_11").status == 200


def test_a_custom_property_has_no_tag(ews: Ews, sandbox: Sandbox) -> None:
    uri = '<t:ExtendedFieldURI PropertyTag="0x8000" PropertyType="String"/>'
    stamp = f"<t:ExtendedProperty>{uri}<t:Value>x</t:Value></t:ExtendedProperty>"
    updates = f"<t:SetItemField>{uri}<t:CalendarItem>{stamp}</t:CalendarItem></t:SetItemField>"
    refused = ["ErrorNoPropertyTagForCustomProperties"]
    assert ews(update(change(updates, key=key_of(sandbox)))).codes == refused
    assert ews(get(more=f"<t:AdditionalProperties>{uri}</t:AdditionalProperties>")).codes == refused


def test_what_exchange_passes_over_in_silence_is_no_error(ews: Ews, sandbox: Sandbox) -> None:
    quiet = put("calendar:JoinOnlineMeetingUrl", "<t:JoinOnlineMeetingUrl>https://x.example</t:JoinOnlineMeetingUrl>")
    assert ews(update(change(quiet, key=key_of(sandbox)))).codes == ["NoError"]
    assert sandbox.journal(seed.TEAM_BUILDING)[-1].changed == {}


def test_the_calendar_and_its_root_are_found(ews: Ews) -> None:
    ids = '<t:DistinguishedFolderId Id="calendar"/><t:DistinguishedFolderId Id="root"/><t:FolderId Id="AAMkAGE="/>'
    shape = "<m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
    answer = ews(f"<m:GetFolder>{shape}<m:FolderIds>{ids}</m:FolderIds></m:GetFolder>")
    assert answer.codes == ["NoError", "NoError", "ErrorFolderNotFound"]
    found = ews(
        f'<m:FindFolder Traversal="Deep">{shape}<m:ParentFolderIds><t:DistinguishedFolderId Id="root"/>'
        "</m:ParentFolderIds></m:FindFolder>"
    )
    assert [name.text for name in found.root.iterfind(".//t:DisplayName", NS)] == ["Calendar", "Projects"]

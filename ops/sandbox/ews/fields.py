"""The properties of a calendar item, as EWS names them: one table, in the schema's order.

https://learn.microsoft.com/exchange/client-developer/web-service-reference/calendaritem. Which of them can be set,
appended to and deleted is Microsoft's own list (ews-managed-api, Core/ServiceObjects/Schemas).

What a client writes becomes *pieces*, Graph's properties before the event is known: ``attendees/required`` is one of
the three collections, ``start`` still the text that was sent, ``startZone`` its zone, ``body+`` text to append.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ops.sandbox.event import Event
from ops.sandbox.ews import location, recurrence, values
from ops.sandbox.ews.soap import Element, T
from ops.sandbox.ews.values import IMPORTANCE, SENSITIVITY, SHOW_AS, Pieces, Read, Show


@dataclass(frozen=True, slots=True)
class Field:
    """One property. ``read`` None: read-only. ``unset``: what deleting leaves; None: cannot be deleted."""

    uri: str
    show: Show
    read: Read | None = None
    unset: Pieces | None = None
    appendable: bool = False

    @property
    def name(self) -> str:
        """The element's name."""
        return self.uri.partition(":")[2]

    def element(self, event: Event) -> Element | None:
        """The property as an element; None when it is not set."""
        shown = self.show(event)
        return T(self.name, shown) if isinstance(shown, str) else shown


BEFORE_EXTENDED = (
    Field("item:ItemId", values.show_id),
    Field("item:ParentFolderId", lambda event: T.ParentFolderId(Id=event.calendar)),
    Field("item:ItemClass", lambda event: "IPM.Appointment"),
    Field("item:Subject", lambda event: event["subject"], values.text("subject"), {"subject": ""}),
    Field(
        "item:Sensitivity", lambda event: SENSITIVITY[event["sensitivity"]], values.choice("sensitivity", SENSITIVITY)
    ),
    Field(
        "item:Body", values.show_body, values.body, {"body": {"contentType": "text", "content": ""}}, appendable=True
    ),
    Field("item:DateTimeReceived", lambda event: values.moment(event.created)),
    Field(
        "item:Categories",
        lambda event: T.Categories(*(T.String(name) for name in event["categories"])) if event["categories"] else None,
        values.categories,
        {"categories": []},
    ),
    Field("item:Importance", lambda event: IMPORTANCE[event["importance"]], values.choice("importance", IMPORTANCE)),
    Field("item:IsDraft", lambda event: "false"),
    Field("item:DateTimeCreated", lambda event: values.moment(event.created)),
    Field("item:ReminderIsSet", lambda event: values.boolean(event["isReminderOn"]), values.flag("isReminderOn")),
    Field("item:ReminderMinutesBeforeStart", lambda event: str(event["reminderMinutesBeforeStart"]), values.minutes),
    Field("item:HasAttachments", lambda event: "false"),
)
AFTER_EXTENDED = (
    Field("item:LastModifiedTime", lambda event: values.moment(event.modified)),
    Field("calendar:UID", lambda event: event.uid),
    Field("calendar:Start", lambda event: values.moment(event.moment("start")), values.text("start")),
    Field("calendar:End", lambda event: values.moment(event.moment("end")), values.text("end")),
    Field("calendar:IsAllDayEvent", lambda event: values.boolean(event["isAllDay"]), values.flag("isAllDay")),
    Field("calendar:LegacyFreeBusyStatus", lambda event: SHOW_AS[event["showAs"]], values.choice("showAs", SHOW_AS)),
    Field(
        "calendar:Location",
        lambda event: event["location"]["displayName"] or None,
        lambda element: {"location": {"displayName": element.text or ""}},
        {"location": {"displayName": ""}},
    ),
    Field("calendar:IsMeeting", lambda event: values.boolean(event.is_meeting)),
    Field("calendar:IsCancelled", lambda event: values.boolean(event["isCancelled"])),
    Field("calendar:IsRecurring", lambda event: "false"),
    Field("calendar:MeetingRequestWasSent", lambda event: values.boolean(event.was_sent)),
    Field(
        "calendar:IsResponseRequested",
        lambda event: values.boolean(event["responseRequested"]),
        values.flag("responseRequested"),
    ),
    Field("calendar:CalendarItemType", lambda event: "RecurringMaster" if event["recurrence"] else "Single"),
    Field("calendar:MyResponseType", lambda event: "Organizer" if event.is_organizer else "NoResponseReceived"),
    Field("calendar:Organizer", values.show_organizer),
    Field(
        "calendar:RequiredAttendees",
        values.show_attendees("RequiredAttendees", "required"),
        values.attendees("required"),
        {"attendees/required": []},
        appendable=True,
    ),
    Field(
        "calendar:OptionalAttendees",
        values.show_attendees("OptionalAttendees", "optional"),
        values.attendees("optional"),
        {"attendees/optional": []},
        appendable=True,
    ),
    Field(
        "calendar:Resources",
        values.show_attendees("Resources", "resource"),
        values.attendees("resource"),
        {"attendees/resource": []},
        appendable=True,
    ),
    Field("calendar:AppointmentSequenceNumber", lambda event: str(event.sequence)),
    Field("calendar:AppointmentState", lambda event: str(int(event.is_meeting))),
    Field(
        "calendar:Recurrence",
        lambda event: recurrence.show(event["recurrence"]),
        lambda element: {"recurrence": recurrence.read(element)},
        {"recurrence": None},
    ),
    Field(
        "calendar:StartTimeZone", lambda event: T.StartTimeZone(Id=event["start"]["timeZone"]), values.zone("startZone")
    ),
    Field("calendar:EndTimeZone", lambda event: T.EndTimeZone(Id=event["end"]["timeZone"]), values.zone("endZone")),
    Field(
        "calendar:AllowNewTimeProposal",
        lambda event: values.boolean(event["allowNewTimeProposals"]),
        values.flag("allowNewTimeProposals"),
    ),
    Field("calendar:IsOnlineMeeting", lambda event: values.boolean(event["isOnlineMeeting"])),
    Field("calendar:EnhancedLocation", location.show, location.read, {"location": {"displayName": ""}}),
    Field("calendar:StartTimeZoneId", lambda event: event["start"]["timeZone"]),
    Field("calendar:EndTimeZoneId", lambda event: event["end"]["timeZone"]),
    Field(
        "calendar:JoinOnlineMeetingUrl",
        lambda event: event["onlineMeeting"]["joinUrl"] if event["onlineMeeting"] else None,
    ),
    Field("calendar:IsOrganizer", lambda event: values.boolean(event.is_organizer)),
)
BY_URI: Mapping[str, Field] = {field.uri: field for field in (*BEFORE_EXTENDED, *AFTER_EXTENDED)}
BY_NAME: Mapping[str, Field] = {field.name: field for field in BY_URI.values()}

NOT_HELD = frozenset({
    "item:MimeContent", "item:Attachments", "item:Size", "item:InReplyTo", "item:IsSubmitted", "item:IsFromMe",
    "item:IsResend", "item:IsUnmodified", "item:InternetMessageHeaders", "item:DateTimeSent",
    "item:ResponseObjects", "item:ReminderDueBy", "item:ReminderNextTime", "item:DisplayCc", "item:DisplayTo",
    "item:DisplayBcc", "item:Culture", "item:EffectiveRights", "item:LastModifiedName", "item:IsAssociated",
    "item:WebClientReadFormQueryString", "item:WebClientEditFormQueryString", "item:ConversationId",
    "item:UniqueBody", "item:Flag", "item:StoreEntryId", "item:InstanceKey", "item:NormalizedBody",
    "item:EntityExtractionResult", "item:PolicyTag", "item:ArchiveTag", "item:RetentionDate", "item:Preview",
    "item:RightsManagementLicenseData", "item:PredictedActionReasons", "item:IsClutter", "item:BlockStatus",
    "item:HasBlockedImages", "item:TextBody", "item:IconIndex", "item:Hashtags", "item:Mentions",
    "item:MentionedMe", "calendar:RecurrenceId", "calendar:DateTimeStamp", "calendar:OriginalStart",
    "calendar:When", "calendar:InboxReminders", "calendar:ConflictingMeetingCount", "calendar:AdjacentMeetingCount",
    "calendar:ConflictingMeetings", "calendar:AdjacentMeetings", "calendar:Duration", "calendar:TimeZone",
    "calendar:AppointmentReplyTime", "calendar:FirstOccurrence", "calendar:LastOccurrence",
    "calendar:ModifiedOccurrences", "calendar:DeletedOccurrences", "calendar:MeetingTimeZone",
    "calendar:ConferenceType", "calendar:MeetingWorkspaceUrl", "calendar:NetShowUrl", "calendar:StartWallClock",
    "calendar:EndWallClock", "calendar:OnlineMeetingSettings", "calendar:CalendarActivityData",
})  # fmt: skip
"""Known to the schema; the sandbox leaves them out of its answers and cannot write them."""


IGNORED = frozenset({"item:StoreEntryId", "calendar:JoinOnlineMeetingUrl", "calendar:OnlineMeetingSettings"})
"""Read-only, but a write of them is silently ignored instead of refused (MS-OXWSCORE, MS-OXWSMTGS)."""


def is_known(uri: str) -> bool:
    """Whether the schema has this FieldURI. Those of other kinds of items are not checked closely."""
    return uri in BY_URI or uri in NOT_HELD or not uri.startswith(("item:", "calendar:"))

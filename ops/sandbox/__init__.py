"""A small Exchange to try things on: one event store, seen through EWS and Microsoft Graph alike.

It is an independent opinion of Exchange: nothing of Rendezvous is imported here. Start it with
``python -m ops.sandbox``; drive it from tests through ``ops.sandbox.control`` and ``ops.sandbox.process``.

    call          one HTTP call and its reply, as values         graph/       GET, PATCH, POST of events
    event         an event as it stands, its ids and versions    ews/         GetItem, UpdateItem, FindItem …
    mailbox       mailboxes and their calendars                  tokens       the OpenID provider that msal talks to
    store         all events; every write is one step            callbacks    catches and keeps what is posted to it
    rules         what Exchange itself makes of a write          console      /sandbox/…, the operator's side
    mailing       who is mailed about a write                    control      the operator's client
    journal       what happened, the judge in tests              door, calls  what each call goes through; its record
    faults        what goes wrong, when, how often               app, server  WSGI; gunicorn, TLS
    world, seed   all of one sandbox; what it starts with        process      a sandbox of one's own, for a while
    body, zones   a body's other form; the names of zones        extended     MAPI properties' names, in one spelling
    certificates  its own authority, made at the first start
"""

"""A small Exchange to try things on: one event store, seen through EWS and Microsoft Graph alike.

It is an independent opinion of Exchange: nothing of Rendezvous is imported here. Start it with
``python -m ops.sandbox``; drive it from tests through ``ops.sandbox.control`` and ``ops.sandbox.process``.

    call         one HTTP call and its reply, as values          graph/       GET, PATCH, POST of events
    event        an event as it stands, its ids and versions     ews/         GetItem, UpdateItem, FindItem …
    store        all events; every write is one step             tokens       the OpenID provider that msal talks to
    mailing      who is mailed about a write                     callbacks    catches and keeps what is posted to it
    faults       what goes wrong, when, how often                console      /sandbox/…, the operator's side
    server       gunicorn, TLS                                   control      the operator's client
"""

"""Hearing of changes that others make to events, and telling who wants to know.

A mailbox's ``feed`` is followed as its ``watch`` says, which ``tending`` keeps alive. A ``notification`` or the feed
names an event that may have changed; ``telling`` finds out what of it did (``event_change``) and tells each
``subscription`` and ``mirror``. Not here: Microsoft's operations (ews, graph), keys (store/watching), HTTP (webhooks).
"""

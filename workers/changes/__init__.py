"""Hearing of changes that others make to events, and telling who wants to know.

A mailbox's ``feed`` is followed as its ``watch`` says, which ``tending`` keeps alive. A ``notification`` or the feed
names an event that may have changed; a ``look`` at it finds out what of it did (``event_change``), and ``telling``
tells each ``subscription``, while ``mirroring`` has each ``mirror`` follow. Not here: Microsoft's operations (ews,
graph), keys (store/watching), HTTP (webhooks).

The words: a **watcher** is a subscription or a mirror, and a **watch** is the mailbox that they have in common. A
change is **heard** where Exchange tells it, and **found** where we went through the calendar; it is **late** where it
was found and should have been heard. A **snapshot** is an event as its watchers were last **told** of it, an event is
**seen** (or **met**) once there is one. A mirror **leads** from its source to another event, several lead on in a
**circle**, and of these the **elders** are the older ones.
"""

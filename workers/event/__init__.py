"""What an event is, and what an update makes of it: functions of values.

``properties`` knows each one, ``agreement`` when two of its values are the same; ``patch`` merges an intent into the
event as it stands; ``invitations`` says who is mailed for it. Not here: how a backend spells any of it (ews, graph).
"""

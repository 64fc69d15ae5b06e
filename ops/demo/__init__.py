"""The two updates of Microsoft's own pages, sent through a running Rendezvous, and everything that came of them.

    seed_updates   what is asked for                     witness   follows one update and records what came of it
    client         Rendezvous over HTTP, as any client   tables    how it is shown

The event, the mails and the callback are seen from the sandbox's side. Nothing of Rendezvous is imported.
"""

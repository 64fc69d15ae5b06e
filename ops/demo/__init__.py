"""The two updates of Microsoft's own pages, sent through a running Rendezvous, and everything that came of them.

    seed_updates   what is asked for                     witness   one update followed to its end, and who saw what
    client         Rendezvous over HTTP, as any client   tables    how it is shown

It looks at the event, the mails and the callback from the sandbox's side. Nothing of Rendezvous is imported.
"""

"""Rendezvous is hurt on purpose, and counted is what came of it: ``python -m tests.chaos`` (``--list`` names the rows).

Not collected by pytest. Judged by the sandbox Exchange's journal file, its mails, the callbacks that it caught and the
202s that the callers saw; what Rendezvous says about itself is only compared with them. ``ops/PROOF.md`` is made here.
"""

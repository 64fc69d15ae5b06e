"""The engine: knows Celery, Redis, Exchange and callers. Does not know Flask."""

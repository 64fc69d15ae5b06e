"""Telling the caller: a callback composed, signed and POSTed, and where it may not go."""

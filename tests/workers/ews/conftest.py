from __future__ import annotations

from hypothesis import settings

# How long an example takes says something about the machine, and compiling Microsoft's schema takes longest.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")

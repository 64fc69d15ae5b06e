"""The one place that retries: an error and what came before it → try again, when, or give up.

Pure: the clock and the dice are passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from workers.exchange import AccessDenied, ExchangeError, NotFound, Refused, Throttled, Unavailable, Unknown
from workers.job import Attempt, failure
from workers.outcome import Dead, Retry
from workers.settings import Engine

LAST_MOMENT = timedelta(seconds=1)
"""An attempt that would begin so near the deadline could not end before it."""
FINAL = (Refused, NotFound, AccessDenied)
FOR_EVER = timedelta(days=3650)
_LONGEST = 10.0**8
"""Seconds: far beyond every deadline, and less than for ever."""
LONGEST_PAUSE = timedelta(days=1)
"""For so long at most a mailbox is left alone, whatever Exchange says; then one update asks again."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait. ``base`` and ``cap``: the bounds of the exponential back-off; ``remaining``: until the
    update's deadline; ``dice``: a number in [0, 1) for the jitter."""

    base: timedelta
    cap: timedelta
    remaining: timedelta
    dice: float

    def longest(self, attempts: int) -> timedelta:
        """The longest wait after so many attempts."""
        return min(self.cap, self.base * (1 << min(attempts, 20)))


def patience(engine: Engine, remaining: timedelta = FOR_EVER, dice: float = 1.0) -> Patience:
    """The patience that is configured."""
    return Patience(timedelta(seconds=engine.retry_base), timedelta(seconds=engine.retry_cap), remaining, dice)


def decide(error: ExchangeError, attempts: int, patience: Patience, *, in_doubt: bool) -> Retry | Dead:
    """The outcome of an attempt that ended in ``error``. ``attempts``: how many came before; ``in_doubt``: a write
    was sent and it is not known whether it was applied."""
    if isinstance(error, FINAL) and in_doubt:
        detail = f"A write was sent, and what came of it cannot be found out any more: {error}"
        return Dead(failure("unknownOutcome", error.code, detail), error.request_id)
    if isinstance(error, FINAL):
        return Dead(failure(error.outcome, error.code, error.detail), error.request_id)
    in_doubt = in_doubt or isinstance(error, Unknown)
    asked = timedelta(seconds=min(error.retry_after or 0, _LONGEST))
    after = asked + _jitter(error, attempts, patience)
    pause = min(asked, LONGEST_PAUSE) or (after if isinstance(error, Throttled) else None)
    if patience.remaining <= LAST_MOMENT and not isinstance(error, Unknown):
        return replace(expired(str(error), error.request_id, in_doubt=in_doubt), pause=pause)
    latest = max(patience.remaining - LAST_MOMENT / 2, LAST_MOMENT)
    if in_doubt and pause is not None:
        # After the deadline nothing more is written, but we may look once more what came of a write.
        latest = max(latest, pause)
    return Retry(error.outcome, str(error), min(after, latest), pause, in_doubt, error.request_id)


def again(error: ExchangeError, attempts: int, engine: Engine, dice: float) -> Retry:
    """When to try again what writes nothing and so is never given up: what is refused today may be allowed tomorrow.
    Within a day in any case, because nobody else asks in its place."""
    unending = patience(engine, dice=dice)
    decided = decide(error, attempts, unending, in_doubt=False)
    if isinstance(decided, Retry):
        return replace(decided, after=min(decided.after, LONGEST_PAUSE), in_doubt=False)
    return Retry(error.outcome, str(error), unending.longest(attempts), request_id=error.request_id)


def expired(last: str | None = None, request_id: str | None = None, *, in_doubt: bool) -> Dead:
    """The end of an update whose deadline has passed, or would before the next attempt. ``last``: the last answer, its
    code in front as in an ExchangeError's text."""
    said, code = (f" The last answer was {last}.", last.partition(": ")[0]) if last else ("", None)
    if in_doubt:
        detail = "A write was sent, and until the deadline nobody could tell whether all of it was applied."
        return Dead(failure("unknownOutcome", code or "UnknownOutcome", detail + said), request_id)
    return Dead(failure("expired", code or "DeadlinePassed", "The deadline passed." + said), request_id)


def last_answer(attempts: Sequence[Attempt]) -> tuple[str | None, str | None]:
    """What Exchange said when it last turned an attempt away, busy or not there, and the id of that request."""
    said = [one for one in attempts if one.outcome in (Throttled.outcome, Unavailable.outcome)]
    return (said[-1].detail, said[-1].requestId) if said else (None, None)


def _jitter(error: ExchangeError, attempts: int, patience: Patience) -> timedelta:
    """Full jitter under an exponential bound, also on top of a time that Exchange named: often it says just 1."""
    floor = patience.base / 10 if isinstance(error, Unknown) else timedelta()
    return floor + patience.longest(attempts) * patience.dice

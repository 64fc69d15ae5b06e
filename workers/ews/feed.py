"""The feed of an EWS endpoint; see workers.changes.feed. Not here: XML (sync_folder_items, get_item), calls (call)."""

from __future__ import annotations

from datetime import datetime

from workers.changes.event_change import TOLD_BY_DEFAULT
from workers.changes.feed import CursorLost, Item, Round
from workers.changes.watch import Watch
from workers.event.properties import writable_on
from workers.ews import get_item, sync_folder_items
from workers.ews.call import Caller
from workers.ews.ids import ews_form
from workers.ews.sync_folder_items import Synced
from workers.exchange import ExchangeError, Throttled
from workers.update import Target

ANSWERS_AT_MOST = 1000
AT_ONCE = 50
"""Events in one read: few enough to be answered in time, also with long bodies."""
_LOST = frozenset({"ErrorInvalidSyncStateData", "ErrorSyncFolderNotFound"})


class EwsFeed:
    """Shared by threads."""

    def __init__(self, caller: Caller):
        self._caller = caller

    def changes(self, watch: Watch, cursor: str | None, now: datetime) -> Round:
        """One round, to its end."""
        items: dict[str, Item] = {}
        state = cursor
        for _ in range(ANSWERS_AT_MOST):
            synced = self._synced(watch, state)
            items |= {item.event: item for item in synced.items}
            state = synced.state
            if synced.last:
                found = tuple(items.values())
                return Round(found if cursor else self._with_properties(watch, found), state)
        raise CursorLost(f"the round has more than {ANSWERS_AT_MOST} answers")

    def spelled(self, event: Target) -> str:
        """Exchange always uses its own of the two spellings of an id, whichever the caller used."""
        return ews_form(event.event)

    def _with_properties(self, watch: Watch, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """The items with their properties as they stand now, which may be later than they were found. Those that cannot
        be read so are left without, to be read one by one."""
        asked = [name for name in sorted(TOLD_BY_DEFAULT.union(watch.learnt)) if writable_on("ews", name)]
        ids = [item.event for item in items if not item.deleted]
        read: dict[str, Item] = {}
        for start in range(0, len(ids), AT_ONCE):
            request = get_item.build_many(ids[start : start + AT_ONCE], asked, self._caller.version)
            try:
                events = self._caller.ask_each(
                    get_item.NAME, request, watch.place, lambda answer: get_item.read(answer, asked)
                )
            except Throttled:
                raise
            except ExchangeError:
                break
            read |= {event.id: Item(event.id, event.version, event.properties) for event in events}
        return tuple(read.get(item.event, item) for item in items)

    def _synced(self, watch: Watch, state: str | None) -> Synced:
        request = sync_folder_items.build(state, self._caller.named(watch.place))
        try:
            return self._caller.ask(sync_folder_items.NAME, request, watch.place, sync_folder_items.read)
        except ExchangeError as error:
            if state is not None and error.code in _LOST:
                raise CursorLost(str(error)) from error
            raise

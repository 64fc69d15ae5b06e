"""The feed of an EWS endpoint; see workers.changes.feed. Not here: XML (sync_folder_items), calls (call)."""

from __future__ import annotations

from datetime import datetime

from workers.changes.feed import CursorLost, Item, Round
from workers.changes.watch import Watch
from workers.ews import sync_folder_items
from workers.ews.call import Caller
from workers.ews.ids import ews_form
from workers.ews.sync_folder_items import Synced
from workers.exchange import ExchangeError

ANSWERS_AT_MOST = 1000
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
                return Round(tuple(items.values()), state)
        raise CursorLost(f"the round has more than {ANSWERS_AT_MOST} answers")

    def spelled(self, watch: Watch, event: str) -> str:
        """Exchange spells ids its own way, whichever of the two spellings a caller uses."""
        return ews_form(event)

    def _synced(self, watch: Watch, state: str | None) -> Synced:
        request = sync_folder_items.build(state, self._caller.named(watch.place))
        try:
            return self._caller.ask(sync_folder_items.NAME, request, watch.place, sync_folder_items.read)
        except ExchangeError as error:
            if state is not None and error.code in _LOST:
                raise CursorLost(str(error)) from error
            raise

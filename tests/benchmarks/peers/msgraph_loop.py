"""msgraph-sdk's bare read-modify-write: get an event, patch its subject against the version that was read.

https://learn.microsoft.com/graph/api/event-update?tabs=python
"""

from __future__ import annotations

import asyncio
import sys
from itertools import count

from kiota_abstractions.authentication import AnonymousAuthenticationProvider
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.default_query_parameters import QueryParameters
from msgraph.generated.models.event import Event
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from tests.benchmarks.peers.loop import serve

MAILBOXES = 200
_serial = count()


def client() -> GraphServiceClient:
    """Without signing in, which is once an hour: in its favour."""
    adapter = GraphRequestAdapter(AnonymousAuthenticationProvider())
    adapter.base_url = sys.argv[1]
    return GraphServiceClient(request_adapter=adapter)


async def update(graph: GraphServiceClient, serial: int) -> None:
    """One."""
    place = graph.users.by_user_id(f"{serial % MAILBOXES:08d}@contoso.com").events.by_event_id(f"AAMkG{serial}")
    event = await place.get()
    assert event is not None
    configuration: RequestConfiguration[QueryParameters] = RequestConfiguration()
    configuration.headers.add("If-Match", event.additional_data["@odata.etag"])
    await place.patch(Event(subject=f"Has moved, {serial}"), request_configuration=configuration)


if __name__ == "__main__":
    runner = asyncio.Runner()
    graph = client()

    async def some(number: int) -> None:
        for _ in range(number):
            await update(graph, next(_serial))

    serve(lambda number, threads: runner.run(some(number)))

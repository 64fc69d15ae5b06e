"""Open extensions and the translation of ids, as Microsoft's pages tell them."""

from __future__ import annotations

import httpx
import pytest

from ops.sandbox import seed
from tests.ops.sandbox.conftest import LUNCH

EVENT = f"/users/anna@contoso.com/events/{LUNCH}"
QUALIFIED = "Microsoft.OutlookServices.OpenTypeExtension.com.contoso.deal"


def deal(graph: httpx.Client, method: str = "POST", name: str = "", **data: object) -> httpx.Response:
    document = {"@odata.type": "microsoft.graph.openTypeExtension", "extensionName": "com.contoso.deal", **data}
    return graph.request(method, f"{EVENT}/extensions{name}", json=document)


def test_an_extension_is_created_found_replaced_and_deleted(graph: httpx.Client) -> None:
    assert deal(graph, value=1, old=True).status_code == 201
    assert graph.get(f"{EVENT}/extensions/com.contoso.DEAL").json()["value"] == 1
    assert deal(graph, "PATCH", f"/{QUALIFIED}", value=2).json() == {
        "@odata.type": "#microsoft.graph.openTypeExtension",
        "id": QUALIFIED,
        "extensionName": "com.contoso.deal",
        "value": 2,
    }
    assert graph.delete(f"{EVENT}/extensions/com.contoso.deal").status_code == 204
    assert graph.get(f"{EVENT}/extensions/com.contoso.deal").status_code == 404


def test_an_extension_is_expanded_by_its_id_beside_other_properties(graph: httpx.Client) -> None:
    deal(graph, value=1)
    marker = "String {8f9c2d5e-6c1b-4f0a-9d3b-5a7e1c0b4d26} Name x"
    both = f"singleValueExtendedProperties($filter=id eq '{marker}'),extensions($filter=id eq 'com.contoso.deal')"
    assert graph.get(EVENT, params={"$expand": both}).json()["extensions"][0]["value"] == 1
    assert graph.get(EVENT, params={"$expand": "extensions"}).status_code == 400


def test_an_extension_moves_the_version_and_mails_nobody(graph: httpx.Client) -> None:
    before = graph.get(EVENT).json()
    deal(graph, value=1)
    assert graph.get(EVENT).json()["@odata.etag"] != before["@odata.etag"]


@pytest.mark.parametrize(("method", "name"), [("PATCH", "/nothing"), ("DELETE", "/nothing"), ("GET", "")])
def test_what_is_not_there_cannot_be_changed(graph: httpx.Client, method: str, name: str) -> None:
    assert deal(graph, method, name).status_code == 404


def test_ids_of_ews_are_translated(graph: httpx.Client) -> None:
    asked = {"inputIds": [seed.LETS_GO_FOR_LUNCH], "sourceIdType": "ewsId", "targetIdType": "restId"}
    answer = graph.post("/users/anna@contoso.com/translateExchangeIds", json=asked)
    assert answer.json()["value"] == [{"sourceId": seed.LETS_GO_FOR_LUNCH, "targetId": LUNCH}]
    assert graph.post("/me/translateExchangeIds", json={}).status_code == 400


def test_at_most_a_thousand_ids_are_translated_at_once(graph: httpx.Client) -> None:
    asked = {"inputIds": [seed.LETS_GO_FOR_LUNCH] * 1000, "sourceIdType": "ewsId", "targetIdType": "restId"}
    path = "/users/anna@contoso.com/translateExchangeIds"
    assert len(graph.post(path, json=asked).json()["value"]) == 1000
    more = {**asked, "inputIds": [seed.LETS_GO_FOR_LUNCH] * 1001}
    assert graph.post(path, json=more).status_code == 400

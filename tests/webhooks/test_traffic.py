from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from tests.webhooks.conftest import Caller
from tests.webhooks.given import KEY, SEED


def test_every_request_is_one_line(hr: Caller) -> None:
    with capture_logs() as lines:
        update_id = hr.ask(SEED).get_json()["id"]
    [line] = [line for line in lines if line["event"] == "request"]
    assert line["method"] == "POST"
    assert line["route"] == "/v1/updates"
    assert line["status"] == 202
    assert line["client"] == "hr"
    assert line["update"] == update_id


def test_no_line_tells_of_bodies_people_or_keys(hr: Caller) -> None:
    with capture_logs() as lines:
        hr.ask(SEED, key="secret-key-1")
        hr.ask({**SEED, "set": {"subject": 5}}, key="secret-key-2")
        hr.get("/v1/updates?mailbox=anna@contoso.com")
    said = json.dumps(lines, default=str)
    for secret in ("alisa", "anna", "Team building", "hooks.example.com", KEY, "secret-key"):
        assert secret not in said


def test_the_route_is_named_and_not_the_address(hr: Caller) -> None:
    with capture_logs() as lines:
        hr.get("/v1/updates/upd_" + "0" * 26)
        hr.get("/wp-admin.php")
    assert [line["route"] for line in lines if line["event"] == "request"] == ["/v1/updates/<string:id>", "unknown"]


def test_a_method_that_http_does_not_name_is_no_label_of_its_own(hr: Caller) -> None:
    with capture_logs() as lines:
        hr.http.open("/livez", method="BREW")
    assert [line["method"] for line in lines if line["event"] == "request"] == ["other"]
    assert "BREW" not in hr.get("/metrics").text


@pytest.mark.parametrize(("offered", "kept"), [("abc-1", True), ("a b", False), ("x" * 65, False), ("", False)])
def test_a_request_id_is_taken_over_if_it_is_one(hr: Caller, offered: str, kept: bool) -> None:
    response = hr.http.get("/livez", headers={"X-Request-Id": offered})
    assert (response.headers["X-Request-Id"] == offered) is kept
    assert response.headers["X-Request-Id"]


def test_answers_are_not_sniffed_and_not_kept(hr: Caller) -> None:
    for response in (hr.ask(), hr.ask({}), hr.get("/v1/updates")):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"

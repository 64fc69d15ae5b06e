from __future__ import annotations

import pytest

from tests.workers.ews.reference import assert_valid_body, needs_reference
from workers.ews.get_server_time_zones import build, read
from workers.ews.soap import Answer, NotAnAnswer, element, find_all


def test_only_these_zones_are_asked_for_and_without_their_rules() -> None:
    request = build({"UTC", "Pacific Standard Time"})
    assert request.get("ReturnFullTimeZoneData") == "false"
    assert [found.text for found in find_all(request, "m:Ids/t:Id")] == ["Pacific Standard Time", "UTC"]


@needs_reference
def test_the_request_is_valid_by_microsofts_schema() -> None:
    assert_valid_body(build({"UTC"}))


def test_the_zones_that_are_known_are_read() -> None:
    zones = element("m:TimeZoneDefinitions", element("t:TimeZoneDefinition", Id="UTC", Name="UTC"))
    assert read(Answer("Success", "NoError", element=element("m:Message", zones))) == {"UTC"}


def test_a_success_without_zones_is_no_answer() -> None:
    with pytest.raises(NotAnAnswer):
        read(Answer("Success", "NoError", element=element("m:Message")))

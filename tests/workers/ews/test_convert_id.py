from __future__ import annotations

import pytest

from tests.workers.ews.reference import SAMPLES, assert_valid_body, needs_reference
from workers.ews.convert_id import build, read
from workers.ews.soap import Answer, NotAnAnswer, answers, element


@needs_reference
def test_the_request_is_valid_by_microsofts_schema() -> None:
    assert_valid_body(build("00" * 70, "HexEntryId", "anna@hq.example"))


@needs_reference
def test_microsofts_own_answer_is_read() -> None:
    body = (SAMPLES / "msdocs-convertid-operation-1-response.xml").read_bytes()
    assert read(answers(body)[0]) == "RgAAAAAS2%2"


def test_a_success_without_an_id_is_no_answer() -> None:
    with pytest.raises(NotAnAnswer):
        read(Answer("Success", "NoError", element=element("m:ConvertIdResponseMessage")))

"""Standard Webhooks signatures, with the published package as the judge."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from workers.callbacks.signature import TOLERANCE, sign, verify

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + b64encode(b"another secret of 24 byt").decode()
NOW = 1_795_000_000
BODY = b'{"test": 2432232314}'
header_text = st.text(st.characters(codec="latin-1"), max_size=40)
ids = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


def verified(body: bytes = BODY, *, id: str = "msg_1", at: str = str(NOW), secrets: tuple[str, ...] = (SECRET,),
             signature: str | None = None, now: float = NOW) -> bool:  # fmt: skip
    given_signature = sign([SECRET], "msg_1", NOW, BODY) if signature is None else signature
    return verify(secrets, id, at, body, given_signature, now=now)


def test_it_signs_as_the_standards_own_example_does() -> None:
    signature = sign([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, BODY)
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(ids, st.integers(0, 2**33), st.text(max_size=50))
def test_it_signs_as_the_published_package_does(message_id: str, timestamp: int, body: str) -> None:
    theirs = Webhook(SECRET).sign(message_id, datetime.fromtimestamp(timestamp, UTC), body)
    assert sign([SECRET], message_id, timestamp, body.encode()) == theirs


def test_the_published_package_verifies_what_we_sign_with_any_live_secret() -> None:
    now = int(datetime.now(UTC).timestamp())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(now)}
    headers["webhook-signature"] = sign([OTHER, SECRET], "msg_1", now, BODY)
    for secret in (SECRET, OTHER):
        assert Webhook(secret).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY + b" ", headers)


@given(ids, st.binary(max_size=60), st.sampled_from([(SECRET,), (OTHER, SECRET), (SECRET, OTHER)]))
def test_what_was_signed_with_a_live_secret_verifies(message_id: str, body: bytes, secrets: tuple[str, ...]) -> None:
    assert verify(secrets, message_id, str(NOW), body, sign([SECRET], message_id, NOW, body), now=NOW)


def test_one_good_signature_among_others_is_enough() -> None:
    good = sign([SECRET], "msg_1", NOW, BODY)
    assert verified(signature=f"v1a,zzz v1,AAAA {good} v2,x")


def test_a_secret_that_is_no_longer_live_does_not_verify() -> None:
    assert not verified(secrets=(OTHER,))
    assert not verified(secrets=())


@pytest.mark.parametrize("signature", ["", " ", "v1,", "v1", "v2,g0hM9SsE", "garbage", "v1,abc", "v1,ä", "  v1,AAAA  "])
def test_no_signature_is_no_signature(signature: str) -> None:
    assert not verified(signature=signature)


@given(st.integers(0, len(BODY) * 8 - 1))
def test_every_bit_of_the_body_counts(bit: int) -> None:
    flipped = bytearray(BODY)
    flipped[bit // 8] ^= 1 << bit % 8
    assert not verified(bytes(flipped))


@given(ids.filter(lambda text: text != "msg_1"))
def test_the_id_counts(message_id: str) -> None:
    assert not verified(id=message_id)


@pytest.mark.parametrize(
    "timestamp", [str(NOW + 1), "", "-1", "+1", "1e9", " 1", "1 ", "١٢٣", "9" * 13, "9" * 5000, "NaN"]
)
def test_the_timestamp_counts_and_has_one_spelling(timestamp: str) -> None:
    assert not verified(at=timestamp, now=NOW)


def test_a_timestamp_in_other_digits_is_none() -> None:
    arabic = str(NOW).translate({ord("0") + digit: chr(0x660 + digit) for digit in range(10)})
    assert int(arabic) == NOW
    assert not verified(at=arabic)


@pytest.mark.parametrize(("drift", "accepted"), [(-TOLERANCE - 1, False), (-TOLERANCE, True), (0, True),
                                                (TOLERANCE, True), (TOLERANCE + 1, False)])  # fmt: skip
def test_the_timestamp_may_be_five_minutes_off_and_no_more(drift: int, accepted: bool) -> None:
    assert verified(now=NOW + drift) is accepted


def test_the_bytes_are_signed_and_not_what_they_mean() -> None:
    assert not verified(b'{"test":2432232314}')


any_text = st.one_of(header_text, st.text(st.characters(), max_size=20))


@given(any_text, any_text, st.binary(max_size=40), any_text)
def test_garbage_is_refused_and_never_raises(message_id: str, timestamp: str, body: bytes, signature: str) -> None:
    assert verify([SECRET], message_id, timestamp, body, signature, now=NOW) is False


@given(any_text, st.binary(max_size=40), any_text)
def test_garbage_at_the_right_time_is_refused_and_never_raises(message_id: str, body: bytes, signature: str) -> None:
    assert verify([SECRET], message_id, str(NOW), body, f"v1,{signature}", now=NOW) is False

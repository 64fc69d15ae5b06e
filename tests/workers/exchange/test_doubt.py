import httpx
import pytest

from workers.exchange import Away, ExchangeError, Refused, Unknown
from workers.exchange.doubt import unanswered


def test_a_request_that_cannot_be_sent_is_refused() -> None:
    assert type(unanswered(httpx.LocalProtocolError("illegal header"), "write", "no answer")) is Refused


@pytest.mark.parametrize(
    ("error", "on_write"),
    [
        (httpx.ConnectError("refused"), Away),
        (httpx.ConnectTimeout("slow"), Away),
        (httpx.PoolTimeout("none free"), Away),
        (httpx.ProxyError("407"), Away),
        (httpx.UnsupportedProtocol("ftp"), Away),
        (httpx.ReadTimeout("slow"), Unknown),
        (httpx.WriteTimeout("slow"), Unknown),
        (httpx.ReadError("reset"), Unknown),
        (httpx.WriteError("reset"), Unknown),
        (httpx.RemoteProtocolError("gone"), Unknown),
        (httpx.DecodingError("gzip"), Unknown),
    ],
)
def test_a_lost_reply_to_a_write_is_unknown_and_what_was_not_sent_is_not(
    error: httpx.RequestError, on_write: type[ExchangeError]
) -> None:
    assert type(unanswered(error, "write", "no answer")) is on_write
    assert type(unanswered(error, "read", "no answer")) is Away

"""What ops/CALLBACKS.md tells receivers: its code verifies what we sign, and its numbers are the code's."""

import atexit
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from workers.callbacks.callback import LONGEST_RETRY_AFTER, ROOM, SCHEDULE
from workers.callbacks.egress import EXCHANGE_DEADLINE
from workers.callbacks.public_net import PUBLIC_PORTS
from workers.callbacks.signature import sign

PAGE = (Path(__file__).resolve().parents[2] / "ops" / "CALLBACKS.md").read_text()
SECRET = "whsec_" + b64encode(b"of a receiver of callbacks, 32 b").decode()
OTHER = "whsec_" + b64encode(b"another receiver's secret, 32 by").decode()
NODE = shutil.which("node")
AROUND = """
let text = ""; process.stdin.on("data", (part) => text += part).on("end", () => {
  const { secret, headers, body } = JSON.parse(text);
  console.log(isGenuine(secret, headers, Buffer.from(body, "base64")));
});"""

GO, MCS, MONO = shutil.which("go"), shutil.which("mcs"), shutil.which("mono")
GO_AROUND = """package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"

	"example.com/receiver/callbacks"
)

func main() {
	var asked struct {
		Secret  string
		Headers map[string]string
		Body    []byte
	}
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	header := http.Header{}
	for name, value := range asked.Headers {
		header.Set(name, value)
	}
	fmt.Println(callbacks.IsGenuine(asked.Secret, header, asked.Body))
}
"""
CSHARP_AROUND = """using System;
using System.Collections.Generic;
using System.Linq;
%s
static class Page
{
    public %s
    static void Main()
    {
        var asked = Console.ReadLine().Split('|');
        var headers = new Dictionary<string, string>();
        for (var at = 2; at + 1 < asked.Length; at += 2)
            headers[asked[at]] = Encoding.UTF8.GetString(Convert.FromBase64String(asked[at + 1]));
        Console.WriteLine(IsGenuine(asked[0], headers, Convert.FromBase64String(asked[1])) ? "true" : "false");
    }
}
namespace System.Security.Cryptography
{
    static class CryptographicOperations  // .NET has it; the Mono that the tests may find has not
    {
        public static bool FixedTimeEquals(byte[] one, byte[] other) { return one.SequenceEqual(other); }
    }
}
"""

Verifier = Callable[[str, dict[str, str], bytes], bool]


@dataclass(frozen=True, slots=True)
class Sent:
    """A callback as it left."""

    secrets: tuple[str, ...] = (SECRET,)
    body: bytes = '{"type":"calendar.update.succeeded","data":{"subject":"Besprechung · 会議"}}'.encode()
    at: int = field(default_factory=lambda: int(time.time()))

    @property
    def headers(self) -> dict[str, str]:
        signature = sign(self.secrets, "msg_1", self.at, self.body)
        return {"webhook-id": "msg_1", "webhook-timestamp": str(self.at), "webhook-signature": signature}


def code(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    return str(found)


def in_python(secret: str, headers: dict[str, str], body: bytes) -> bool:
    names: dict[str, Any] = {}
    exec(code("python"), names)  # noqa: S102 - the page's own code is what is tested
    return bool(names["is_genuine"](secret, headers, body))


def in_node(secret: str, headers: dict[str, str], body: bytes) -> bool:
    asked = json.dumps({"secret": secret, "headers": headers, "body": b64encode(body).decode()})
    return answered([str(NODE), "-e", code("js") + AROUND], asked)


@cache
def built_in_go() -> str:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "callbacks").mkdir()
    (folder / "callbacks" / "callbacks.go").write_text(code("go"))
    (folder / "main.go").write_text(GO_AROUND)
    (folder / "go.mod").write_text("module example.com/receiver\n\ngo 1.19\n")
    environ = {**os.environ, "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local", "GOCACHE": str(folder / "cache")}
    subprocess.run([str(GO), "build", "-o", "receiver", "."], cwd=folder, env=environ, timeout=300, check=True)
    return str(folder / "receiver")


def in_go(secret: str, headers: dict[str, str], body: bytes) -> bool:
    asked = json.dumps({"secret": secret, "headers": headers, "body": b64encode(body).decode()})
    return answered([built_in_go()], asked)


@cache
def built_in_csharp() -> str:
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    usings, method = code("csharp").split("\n\n", 1)
    (folder / "receiver.cs").write_text(CSHARP_AROUND % (usings, method))
    subprocess.run([str(MCS), "-out:receiver.exe", "receiver.cs"], cwd=folder, timeout=300, check=True)
    return str(folder / "receiver.exe")


def in_csharp(secret: str, headers: dict[str, str], body: bytes) -> bool:
    told = [part for name, value in headers.items() for part in (name, b64encode(value.encode()).decode())]
    return answered([str(MONO), built_in_csharp()], "|".join([secret, b64encode(body).decode(), *told]) + "\n")


def answered(command: list[str], asked: str) -> bool:
    done = subprocess.run(command, input=asked, capture_output=True, text=True, timeout=60, check=True)
    return {"true\n": True, "false\n": False}[done.stdout]


@pytest.fixture(
    params=[
        pytest.param(in_python, id="python"),
        pytest.param(in_node, id="node", marks=pytest.mark.skipif(NODE is None, reason="node is not installed")),
        pytest.param(in_go, id="go", marks=pytest.mark.skipif(GO is None, reason="go is not installed")),
        pytest.param(
            in_csharp, id="csharp", marks=pytest.mark.skipif(not (MCS and MONO), reason="mono is not installed")
        ),
    ]
)
def verifies(request: pytest.FixtureRequest) -> Verifier:
    return request.param  # type: ignore[no-any-return]


def test_what_we_sign_is_genuine(verifies: Verifier) -> None:
    sent = Sent()
    assert verifies(SECRET, sent.headers, sent.body)


def test_either_secret_fits_while_they_are_exchanged(verifies: Verifier) -> None:
    sent = Sent(secrets=(OTHER, SECRET))
    assert verifies(SECRET, sent.headers, sent.body) and verifies(OTHER, sent.headers, sent.body)


def test_a_changed_body_is_not_genuine(verifies: Verifier) -> None:
    sent = Sent()
    assert not verifies(SECRET, sent.headers, sent.body + b" ")


def test_somebody_elses_secret_does_not_fit(verifies: Verifier) -> None:
    sent = Sent(secrets=(OTHER,))
    assert not verifies(SECRET, sent.headers, sent.body)


@pytest.mark.parametrize("apart", [-301, 302])
def test_a_message_from_another_time_is_refused(verifies: Verifier, apart: int) -> None:
    sent = replace(Sent(), at=int(time.time()) + apart)
    assert not verifies(SECRET, sent.headers, sent.body)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
@pytest.mark.parametrize("value", [None, "", "v1,", "1e3", "ü"])
def test_a_header_that_is_missing_or_nonsense_is_refused_and_nothing_is_thrown(
    verifies: Verifier, name: str, value: str | None
) -> None:
    sent = Sent()
    headers = {key: text for key, text in {**sent.headers, name: value}.items() if text is not None}
    assert not verifies(SECRET, headers, sent.body)


def test_the_schedule_is_the_codes() -> None:
    seconds = {"s": 1, "min": 60, "h": 3600}
    told = re.search(r"Ten attempts: at once, then (.*?) after the one\s+before", PAGE, re.DOTALL)
    assert told
    waits = [int(number) * seconds[unit] for number, unit in re.findall(r"(\d+) (s|min|h)\b", told[1])]
    assert [0, *waits] == [wait.total_seconds() for wait in SCHEDULE]


def test_the_limits_are_the_codes() -> None:
    said = " ".join(PAGE.split())
    assert f"within {EXCHANGE_DEADLINE:.0f} seconds" in said and ROOM == 10 and "up to ten come at once" in said
    assert LONGEST_RETRY_AFTER.total_seconds() == 10 * 3600 and "ten hours at most" in said
    assert "ports 443, 8443" in said and sorted(PUBLIC_PORTS) == [443, 8443]

"""Browsers at the console, each with its own cookies."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser

import pytest
from flask.testing import FlaskClient
from flask_openapi.openapi import OpenAPI
from redis import Redis
from werkzeug.test import TestResponse

from tests.webhooks.given import KEY, OTHER_KEY
from workers.changes.subscription import Subscription
from workers.settings import Settings
from workers.store import Store

OPERATOR_KEY = "operator-key-0123456789"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Somebody may see all."""
    digest = hashlib.sha256(OPERATOR_KEY.encode()).hexdigest()
    return settings.model_copy(update={"operator_api_key_sha256": (digest.upper(),)})


@dataclass
class Element:
    """A tag of a page: its attributes and the text inside it."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


class Page(HTMLParser):
    """A page as a browser takes it apart."""

    VOID = frozenset({"meta", "link", "input", "br", "rect", "img", "hr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.crossed: list[str] = []
        self._open: list[Element] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1].tag == tag:
            self._open.pop()
        else:
            self.crossed.append(tag)

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    @property
    def unclosed(self) -> list[str]:
        return [element.tag for element in self._open]

    def all(self, tag: str, **attributes: str) -> list[Element]:
        wanted = {(name.rstrip("_"), value) for name, value in attributes.items()}
        return [one for one in self.elements if one.tag == tag and wanted <= one.attributes.items()]


@dataclass
class Browser:
    """Somebody at the console."""

    http: FlaskClient
    token: str = ""
    last: Page = field(default_factory=lambda: Page(""))

    def get(self, path: str = "/") -> TestResponse:
        return self._read(self.http.get(f"/console{path}"))

    def post(self, path: str, headers: Mapping[str, str] | None = None, /, **fields: str) -> TestResponse:
        """Send a form of the page that was read last."""
        form = {"form_token": self.token, **{name.rstrip("_"): value for name, value in fields.items()}}
        return self._read(self.http.post(f"/console{path}", data=form, headers=headers or {}))

    def sign_in(self, key: str) -> TestResponse:
        self.get("/sign-in")
        answer = self.post("/sign-in", key=key)
        if answer.status_code == 303:
            self.get("/")
        return answer

    def text(self, path: str) -> str:
        """The words of a page's main part, one space between them."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        main = answer.text.partition("<main")[2]
        return re.sub(r"\s+", " ", unescape(re.sub("<[^>]*>", " ", f"<main{main}"))).strip()

    def _read(self, answer: TestResponse) -> TestResponse:
        if answer.mimetype == "text/html" and answer.status_code != 303:
            self.last = Page(answer.text)
            tokens = self.last.all("input", name="form_token")
            self.token = tokens[0].attributes["value"] if tokens else self.token
        return answer


@pytest.fixture
def browser(app: OpenAPI) -> Callable[[str], Browser]:
    """Signs somebody in."""

    def signed_in(key: str) -> Browser:
        someone = Browser(app.test_client())
        if key:
            assert someone.sign_in(key).status_code == 303
        return someone

    return signed_in


@pytest.fixture
def subscribed(store: Store, redis: Redis) -> str:
    """A subscription of hr; Graph has promised it for an hour, and then said no. Its id."""
    one = Subscription(
        "sub_1", "hr", "cloud", "anna@contoso.com", "https://hooks.example.com/<b>?token=t0p", ("subject",), "2026Z"
    )
    store.begin(one)
    hour = round(store.time().timestamp() * 1000) + 3_600_000
    redis.hset(f"rdv:watch:{one.watch}", mapping={"expires": hour, "problem": "403 <script>alert(1)</script>"})
    return one.id


@pytest.fixture
def stranger(browser: Callable[[str], Browser]) -> Browser:
    return browser("")


@pytest.fixture
def operator(browser: Callable[[str], Browser]) -> Browser:
    return browser(OPERATOR_KEY)


@pytest.fixture
def hr_person(browser: Callable[[str], Browser]) -> Browser:
    return browser(KEY)


@pytest.fixture
def rooms_person(browser: Callable[[str], Browser]) -> Browser:
    return browser(OTHER_KEY)

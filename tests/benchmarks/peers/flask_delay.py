"""The plainest way to take work in over HTTP: Flask, a pydantic model, ``task.delay()``. No sign-in, no idempotency,
no order, no answer about what came of it; served by the same gunicorn, kept by the same store.

https://flask.palletsprojects.com/patterns/celery/
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery
from flask import Flask, request
from pydantic import BaseModel

celery = Celery("plain", broker=os.environ["BENCHMARK_BROKER"])
app = Flask(__name__)


class Target(BaseModel):
    mailbox: str
    event: str


class Update(BaseModel):
    target: Target
    set: dict[str, Any]


@celery.task(ignore_result=True)  # type: ignore[untyped-decorator]
def apply(update: dict[str, Any]) -> None:
    """Never run here: only how it is taken in is measured."""


@app.post("/updates")
def create() -> tuple[dict[str, Any], int]:
    update = Update.model_validate_json(request.get_data())
    task = apply.delay(update.model_dump())
    return {"id": task.id, "state": "queued"}, 202


@app.get("/hello")
def hello() -> str:
    return "hello"

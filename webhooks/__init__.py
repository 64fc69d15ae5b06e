"""HTTP in. Knows Flask. Thin: parse, authorise, hand to the engine, answer."""

from __future__ import annotations

from flask import Response, jsonify
from flask_openapi.models.info import Info
from flask_openapi.openapi import OpenAPI
from flask_openapi_swagger.plugins import RegisterPlugin  # type: ignore[import-untyped]  # it has no types
from pydantic import ValidationError

from webhooks import document, problems, traffic
from webhooks.clients import clients
from webhooks.console import console
from webhooks.dead_letters import dead_letters
from webhooks.door import Door, hang
from webhooks.health import health, refuse_while_the_store_hangs
from webhooks.manual import pages
from webhooks.rates import Rates
from webhooks.schema import sentence
from webhooks.updates import updates
from webhooks.watching.notifications import notifications
from webhooks.watching.watchers import mirrors, subscriptions
from workers import celery, logs
from workers.celery.bell import Bell
from workers.configuration import load_or_exit
from workers.settings import Settings
from workers.store import Store


def create_app(settings: Settings | None = None) -> OpenAPI:
    """The WSGI application. Without settings it reads them itself: one line and exit code 2 if they cannot be used."""
    if settings is None:
        settings = load_or_exit()
        logs.configure()
    app = OpenAPI(
        __name__,
        info=Info(title="Rendezvous", version="1", description="Changes calendar events in Exchange: once, in order."),
        openapi_extensions={"components": document.components()},
        validation_error_status="default",
        validation_error_callback=_unreadable,
        doc_ui=False,
        static_folder=None,
    )
    app.openapi_version = document.VERSION
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it
    app.url_map.merge_slashes = False
    bell = Bell(celery.create(settings), traffic.LOST.inc)
    hang(Door(settings, Store.connect(settings), bell, Rates(settings.store_url)), app.extensions)
    problems.install(app)
    traffic.install(app)
    app.before_request(refuse_while_the_store_hangs)
    app.register_api(updates)
    app.register_api(dead_letters)
    app.register_api(clients)
    app.register_api(subscriptions)
    app.register_api(mirrors)
    app.register_api(notifications)
    app.register_api(health)
    app.register_blueprint(pages)
    app.register_blueprint(console)
    _show_document(app)
    return app


def _show_document(app: OpenAPI) -> None:
    """The document at /openapi.json, and a page to read it and try it that needs no other server."""
    swagger = RegisterPlugin.register(doc_url="openapi.json")
    app.register_blueprint(swagger)
    app.add_url_rule("/docs", "docs", app.view_functions["swagger.swagger"])

    @app.route("/openapi.json")
    def openapi_json() -> Response:
        return jsonify(app.api_doc)


def _unreadable(error: ValidationError) -> Response:
    """flask-openapi found a parameter that it cannot read."""
    first = error.errors(include_url=False)[0]
    said = "there is no such parameter" if first["type"] == "extra_forbidden" else f"it {sentence(first)}"
    raise problems.unreadable(str(first["loc"][0]), said)

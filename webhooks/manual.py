"""The pages that a problem's ``type`` leads to: what it means and what to do."""

from __future__ import annotations

from flask import Blueprint, render_template_string

from webhooks.problems import KINDS, NOT_FOUND, Kind, Problem

pages = Blueprint("manual", __name__)

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Rendezvous: problems</title>
<style>body { font: 16px/1.5 sans-serif; max-width: 44em; margin: 2em auto; padding: 0 1em }</style>
<h1>Problems</h1>
{% for kind in kinds %}
<section id="{{ kind.name }}"><h2><a href="{{ kind.type }}">{{ kind.title }}</a></h2>
<p>HTTP {{ kind.status }}, <code>{{ kind.type }}</code></p><p>{{ kind.remedy }}</p></section>
{% endfor %}
<p><a href="/problems">All problems</a> · <a href="/docs">The API</a></p></html>
"""


@pages.get("/problems")
def all_problems() -> str:
    return _rendered(*KINDS.values())


@pages.get("/problems/<name>")
def one_problem(name: str) -> str:
    if name not in KINDS:
        raise Problem(NOT_FOUND, "There is no problem of that name.")
    return _rendered(KINDS[name])


def _rendered(*kinds: Kind) -> str:
    return render_template_string(_PAGE, kinds=kinds)

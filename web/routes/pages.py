"""The pages for people."""

import json
from pathlib import Path
from typing import Any, Final

from flask import Blueprint, Response, make_response, render_template

from config import ROOT, VERSION, ModelSettings
from entities import DISPLAY_ORDER, EXPRESSIONS
from web.access.visitors import remember_visitor
from web.services import get_services

EVALUATION: Final = ROOT / "training" / "results" / "evaluation.json"
"""What `evaluate.py --json` wrote about the network that ships."""

blueprint = Blueprint("pages", __name__)


@blueprint.app_context_processor
def order() -> dict[str, Any]:
    """Tell templates in which order expressions are shown."""
    return {"display_order": DISPLAY_ORDER}


@blueprint.get("/")
def live() -> str:
    """Show the live page."""
    services = get_services()
    settings = services.settings
    return render_template(
        "live.html",
        outputs=bool(services.outputs),
        cameras=list(services.by_camera) if services.several else [],
        changeable=settings.server.change_source,
        least_confidence=settings.model.min_confidence,
    )


@blueprint.get("/pictures")
def pictures() -> Response:
    """Show the page for pictures and videos, by which the visitor is known when they send some."""
    limits = get_services().settings.uploads
    page = make_response(render_template("pictures.html", limits=limits))
    remember_visitor(page, limits.keep_seconds)
    return page


@blueprint.get("/check")
def check() -> str:
    """Show the page on which visitors check how often the app is right about their own face."""
    return render_template("check.html", version=VERSION)


@blueprint.get("/about")
def about() -> str:
    """Show what the labels mean, how often they are right, and where the data goes."""
    used, ships = get_services().settings.model, ModelSettings()
    measured = (used.architecture, used.weights) == (ships.architecture, ships.weights)
    return render_template("about.html", evaluation=_evaluation(EVALUATION) if measured else None, version=VERSION)


def _evaluation(path: Path) -> dict[str, Any] | None:
    """Return how often the network was right, by expression; None where it has not been measured."""
    if not path.is_file():
        return None
    measured = json.loads(path.read_text(encoding="utf-8"))
    labels, majority = measured["labels"], measured.get("majority")
    return {
        "pictures": labels["rows"],
        "accuracy": labels["accuracy"],
        "majority": majority and majority["accuracy"],
        "recall": dict(zip(EXPRESSIONS, (majority or labels)["recall"], strict=True)),
    }

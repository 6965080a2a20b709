"""The pages for people."""

from flask import Blueprint, render_template

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def live() -> str:
    """Show the live page."""
    return render_template("live.html")

"""Write docs/openapi.json: the API as its clients see it. Run by `make openapi`."""

import json
from pathlib import Path

from app.api.described_routes import application_of_routes

PATH = Path(__file__).parents[1] / "docs" / "openapi.json"


def openapi_text() -> str:
    """The document as it is committed: indented, so that a change is a few lines of a diff."""
    return json.dumps(application_of_routes().openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(openapi_text(), encoding="utf-8")

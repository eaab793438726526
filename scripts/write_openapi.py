"""Write docs/openapi.json: the API as its clients see it. Run by `make openapi`."""

import json
import tomllib
from pathlib import Path

from app.api.described_routes import application_of_routes

_ROOT = Path(__file__).parents[1]
PATH = _ROOT / "docs" / "openapi.json"


def openapi_text() -> str:
    """The document as it is committed: indented, so that a change is a few lines of a diff."""
    description = application_of_routes().openapi()
    # The version of the sources: the environment may have an older one installed.
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    description["info"]["version"] = project["version"]
    return json.dumps(description, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    PATH.write_text(openapi_text(), encoding="utf-8")

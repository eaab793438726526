"""Look up the pinned packages among known vulnerabilities, by pip-audit.

    python -m scripts.package_audit PIP_AUDIT

The exit status is 1 for a package with a known vulnerability. Where the advisory service cannot be
reached, or knows none of the packages (a mirror without advisories), the check says that it was
skipped, and the exit status is 0: a build without the Internet must not depend on it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_CONSTRAINTS = Path(__file__).resolve().parent.parent / "constraints.txt"
_OPTIONS = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json")
_TIMEOUT_S = 300


def main() -> int:
    command = [sys.argv[1], "--requirement", str(_CONSTRAINTS), *_OPTIONS]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False
        )
        found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        return _skip(f"pip-audit did not answer ({type(error).__name__})")
    return report(found)


def report(found: list[dict[str, Any]]) -> int:
    """Print what was found of each package; return the exit status."""
    looked_up = [package for package in found if "skip_reason" not in package]
    if not looked_up:
        return _skip("the advisory service knows none of the packages")
    status = 0
    for package in looked_up:
        for vulnerability in package.get("vulns", ()):
            status = 1
            fixed = ", ".join(vulnerability.get("fix_versions", ())) or "no version yet"
            name, version = package["name"], package["version"]
            print(f"{name} {version}: {vulnerability['id']}, fixed in {fixed}")
    unknown = len(found) - len(looked_up)
    print(f"package audit: {len(looked_up)} packages looked up, {unknown} unknown")
    return status


def _skip(why: str) -> int:
    print(f"package audit: skipped, as {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

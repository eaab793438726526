"""The documents keep their promises: lines run, links resolve, tables are those of the code."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import pytest
import yaml
from fastapi.testclient import TestClient
from PIL import Image
from typer.testing import CliRunner

from app.cli.main import cli
from app.errors import Reason, VultusError
from app.former_settings import OPENTELEMETRY, REMOVED, RENAMED
from app.observe.metrics import Metrics, Readings
from app.settings import Settings
from models.zoo.detectors.detector_cards import DETECTOR_CARDS
from models.zoo.registry import ZOO
from scripts.reference_pages import errors_page, settings_page
from tests.kit.default_network import CALIBRATION
from tests.kit.server import ServerProcess, running

ROOT = Path(__file__).parent.parent


def _page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


README = _page("README.md")
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for folder, depth in (
        (ROOT, "*.md"),
        (ROOT / "docs", "*.md"),
        (ROOT / "examples", "*.md"),
        (ROOT / "app", "**/*.md"),
    )
    for path in folder.glob(depth)
)
_ABOUT_FORMER_SETTINGS = {
    "CHANGELOG.md",
    "docs/networks.md",
    "docs/settings.md",
    "docs/upgrading.md",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    assert shutil.which("curl"), "the lines of the documents need curl"
    with running(tmp_path_factory.mktemp("server")) as started:
        yield started


def test_the_readmes_curl_lines_work_as_pasted(server: ServerProcess) -> None:
    enrolled, identified, verified = _run_lines(README, server.url)
    assert '"name":"Eileen Collins"' in enrolled
    assert identified.count('"status":"match"') == 1
    assert identified.count('"status":"unknown"') == 1
    assert '"match":true' in verified
    (example,) = re.findall(r"```json\n(.*?)```", README, flags=re.DOTALL)
    (matched,) = [face for face in json.loads(identified)["faces"] if face["status"] == "match"]
    for field in ("similarity", "threshold"):
        (number,) = re.findall(rf'"{field}": ([\d.]+)', example)
        assert matched[field] == pytest.approx(float(number), abs=0.005)
    (box,) = re.findall(r'"box": (\[[^]]+\])', example)
    assert matched["box"] == pytest.approx(json.loads(box), abs=1)
    people = f"{server.url}/v1/collections/default/identities"
    httpx2.delete(
        f"{people}/{json.loads(enrolled)['identity']['id']}", timeout=60
    ).raise_for_status()


def test_the_curl_lines_of_the_api_page_work_as_pasted(server: ServerProcess) -> None:
    page = _page("docs/api.md")
    with_attributes, filtered, staged, in_bulk, listed = _run_lines(page, server.url)
    regular = _run_lines(page, server.url, only=2)[0]
    assert '"phone":"5554711"' in with_attributes
    assert filtered.count('"external_id":"customer-1"') >= 2
    assert filtered.count('"status":"unknown"') == 1
    assert '"matched_stage":1' in staged
    assert '"matched_stage":"terminal"' in regular
    assert '"status":"enrolled","external_id":"customer-2"' in in_bulk
    (person,) = json.loads(listed)["identities"]
    assert person["external_id"] == "customer-1"


def _run_lines(page: str, url: str, only: int | None = None) -> list[str]:
    """Run the lines of the page's block of shell commands, or one of them; return the answers."""
    (block,) = re.findall(r"```sh\n(.*?)```", page, flags=re.DOTALL)
    lines = block.strip().splitlines()
    return [_run(line, url) for line in (lines if only is None else [lines[only]])]


def test_the_example_in_curl_runs_whole_and_leaves_nothing(server: ServerProcess) -> None:
    done = _run_example(["sh", "examples/first_calls.sh"], server.url)
    identified, verified, deleted = done.split("-- ")[3:6]
    assert identified.count('"status":"match"') == 2
    assert '"match":true' in verified
    assert '"status":"unknown"' in deleted
    assert _collections(server.url) == ["default"]


def test_the_example_in_python_names_the_faces_and_leaves_nothing(server: ServerProcess) -> None:
    done = _run_example([sys.executable, "examples/client.py"], server.url)
    named = [line.split(", ")[0] for line in done.splitlines()]
    assert sorted(named) == ["match: Eileen Collins", "match: Grace Hopper"]
    assert _collections(server.url) == ["default"]


def _run_example(command: list[str], url: str) -> str:
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "VULTUS_URL": url},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout


def _collections(url: str) -> list[str]:
    listed = httpx2.get(f"{url}/v1/collections", timeout=60).json()["collections"]
    return [collection["name"] for collection in listed]


def _run(line: str, url: str) -> str:
    here = line.replace("localhost:8000", url.removeprefix("http://"))
    done = subprocess.run(
        ["bash", "-c", here],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "urn:vultus:problem" not in done.stdout, done.stdout
    return done.stdout


def test_the_readme_is_one_page() -> None:
    assert len(README.splitlines()) <= 130


def test_the_pictures_of_the_readme_are_there_light_and_dark_and_small() -> None:
    dark = re.findall(r'srcset="([^"]+)"', README)
    light = re.findall(r'<img [^>]*src="([^"]+)"', README)
    assert dark == [name.replace("-light.", "-dark.") for name in light]
    assert len(set(light)) >= 4
    for name in (*light, *dark):
        assert (ROOT / name).stat().st_size < 100_000, name
        with Image.open(ROOT / name) as picture, Image.open(ROOT / light[0]) as first:
            assert picture.size == first.size
    taken = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs/pictures").iterdir()}
    assert taken == {*light, *dark}


def test_every_page_of_the_documentation_is_in_its_index() -> None:
    listed = set(re.findall(r"^\| \[(\S+\.md)\]", _page("docs/README.md"), flags=re.MULTILINE))
    assert listed == {path.name for path in (ROOT / "docs").glob("*.md")} - {"README.md"}


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    links = re.findall(r"\]\((?!\w+:)([^)#\s]*)(?:#([\w-]+))?\)", _page(name))
    for target, anchor in links:
        path = (ROOT / name).parent / target if target else ROOT / name
        assert path.exists(), target
        if anchor:
            assert anchor in _anchors(path.read_text(encoding="utf-8")), f"{target}#{anchor}"


def _anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "docs/design.md", "CONTRIBUTING.md"])
def test_every_file_and_folder_that_is_named_exists(name: str) -> None:
    existing = {
        path.relative_to(ROOT).as_posix() + ("/" if path.is_dir() else "")
        for room in (
            "app",
            "benchmarks",
            "docs",
            "examples",
            "migrations",
            "models",
            "scripts",
            "tests",
        )
        for path in (ROOT / room).rglob("*")
    } | {path.name + "/" * path.is_dir() for path in ROOT.iterdir()}
    page = re.sub(r"```.*?```", "", _page(name), flags=re.DOTALL)
    named = re.findall(r"`((?:[\w.]+/)*[\w.]+(?:/|\.(?:py|md|toml)))`", page)
    if name == "CONTRIBUTING.md":  # names without a folder are examples there
        named = [path for path in named if "/" in path]
    assert named
    lacking = [
        path for path in named if not any(f"/{one}".endswith(f"/{path}") for one in existing)
    ]
    assert not lacking


def test_the_tree_of_the_architecture_is_that_of_the_folders() -> None:
    named = set(_rooms(_page("ARCHITECTURE.md")))
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    packages = {
        path.parent.relative_to(ROOT).as_posix()
        for room in ("app", "models")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "__init__.py"
    }
    assert packages - named == set()


def _rooms(page: str) -> Iterator[str]:
    """The paths in the drawn tree: a line's first name by indentation, others beside or below."""
    block = re.findall(r"(?:^    .*\n)+", page, flags=re.MULTILINE)[0]
    above: list[tuple[int, Path]] = []
    for line in block.splitlines():
        names = re.findall(r"(?<=  )(\w+(?:/|\.py))(?=  | \(|$)", line)
        depth = len(line) - len(line.lstrip())
        while above and above[-1][0] >= depth:
            above.pop()
        parent = above[-1][1] if above else Path()
        first = parent / names[0]
        above.append((depth, first))
        for name in names:
            below = first / name
            yield (below if (ROOT / below).exists() else parent / name).as_posix()


@pytest.mark.parametrize(
    ("name", "written"), [("settings", settings_page()), ("errors", errors_page())]
)
def test_pages_of_settings_and_errors_are_those_of_the_code(name: str, written: str) -> None:
    assert _page(f"docs/{name}.md") == written, "run: make reference"


def test_every_setting_is_documented_once() -> None:
    rows = re.findall(r"^\| `(VULTUS_\w+)` \|", _page("docs/settings.md"), flags=re.MULTILINE)
    former = {*RENAMED, *OPENTELEMETRY, *REMOVED}
    assert sorted(set(rows) - former) == sorted(Settings.variables())
    assert former.isdisjoint(Settings.variables())


def test_every_error_code_is_documented() -> None:
    def codes(kind: type[VultusError]) -> Iterator[str]:
        if not kind.__subclasses__():
            yield kind.code
        for child in kind.__subclasses__():
            yield from codes(child)

    listed = set(re.findall(r"`([a-z_]+)`", _page("docs/errors.md")))
    expected = {*codes(VultusError), *(reason.value for reason in Reason)} - {"startup_failed"}
    assert expected <= listed


@pytest.mark.parametrize("name", [*PAGES, "docker-compose.yml", "Makefile", "benchmarks/README.md"])
def test_no_page_names_a_setting_that_does_not_exist(name: str) -> None:
    of_tools = {"VULTUS_BIND", "VULTUS_EXTRAS", "VULTUS_TEST_DATABASE_URL", "VULTUS_TEST_BROWSER"}
    of_tools |= {"VULTUS_TEST_MILVUS_URI"}
    of_tools |= {"VULTUS_URL", "VULTUS_API_KEY"}  # the examples' own
    former = {*RENAMED, *OPENTELEMETRY, *REMOVED} if name in _ABOUT_FORMER_SETTINGS else set()
    named = set(re.findall(r"VULTUS_\w*[A-Z]\b", _page(name)))
    assert named <= {*Settings.variables(), *of_tools, *former}


def test_thresholds_in_the_documents_are_those_in_use() -> None:
    page = _page("docs/accuracy.md")
    rows = dict(re.findall(r"^\| (1e-\d) \| (0\.\d{4}) \|", page, flags=re.MULTILINE))
    assert {float(fmr): float(value) for fmr, value in rows.items()} == {
        fmr: round(value, 4) for fmr, value in CALIBRATION.thresholds().items()
    }


def test_every_embedder_is_documented() -> None:
    for name in ZOO:
        assert re.search(rf"^\| `{name}` \|", _page("docs/embedders.md"), flags=re.MULTILINE)


def test_every_detector_is_documented() -> None:
    for name in DETECTOR_CARDS:
        assert re.search(rf"^\| `{name}` \|", _page("docs/photos.md"), flags=re.MULTILINE), name


def test_every_metric_is_in_its_table_and_no_other() -> None:
    metrics = Metrics()
    metrics.watch(lambda: Readings(0, 0, 0, 0, 0, 0))
    declared = {}
    for family in metrics.registry.collect():
        if family.name.startswith("vultus_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            declared[name] = family.type
    page = _page("docs/observability.md")
    told = dict(re.findall(r"^\| `(vultus_\w+)` \| (\w+) \|", page, flags=re.MULTILINE))
    assert told == declared
    for alert in re.findall(r"vultus_\w+", page):
        assert re.sub("_bucket$", "", alert) in told


def test_image_copies_what_the_package_needs() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.*) \S+$", dockerfile, flags=re.MULTILINE)
        for name in line.split()
    }
    with (ROOT / "pyproject.toml").open("rb") as file:
        build = tomllib.load(file)
    packages = build["tool"]["setuptools"]["packages"]["find"]["include"]
    texts = [build["project"]["readme"], *build["project"]["license-files"]]
    assert copied >= {name.removesuffix("*") for name in packages} | {*texts, "pyproject.toml"}
    assert copied >= {"scripts/install.py", "constraints.txt"}  # what its RUN lines read
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for name in copied:
        assert (ROOT / name).exists(), name
        assert f"!{name}" in allowed, name


def test_image_runs_a_command_that_exists_as_a_user_of_its_own() -> None:
    final = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("\nFROM ")[-1]
    (user,) = re.findall(r"^USER (\w+)$", final, flags=re.MULTILINE)
    assert re.search(rf"useradd .*\b{user}\b", final)
    (arguments,) = re.findall(r"^CMD (\[.*\])$", final, flags=re.MULTILINE)
    program, command = json.loads(arguments)
    with (ROOT / "pyproject.toml").open("rb") as file:
        assert program in tomllib.load(file)["project"]["scripts"]
    assert CliRunner().invoke(cli, [command, "--help"]).exit_code == 0
    assert CliRunner().invoke(cli, ["no-such-command", "--help"]).exit_code != 0
    settings = re.findall(r"\b(VULTUS_\w+)=", final)
    assert settings
    assert set(settings) <= set(Settings.variables())


def test_health_check_of_the_image_passes_only_where_the_service_is_ready(
    client: TestClient,
) -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (arguments,) = re.findall(r"HEALTHCHECK .*\\\n\s+CMD (\[.*\])\n", dockerfile)
    check = json.loads(arguments)
    ready = client.get("/readyz")

    class Ready(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(ready.status_code if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Ready) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        environment = {**os.environ, "VULTUS_PORT": str(server.server_port)}
        command = [sys.executable, *check[1:]]
        passed = subprocess.run(command, env=environment, timeout=60, check=False)
        server.shutdown()
        thread.join()
    refused = subprocess.run(
        command, env=environment, timeout=60, check=False, stderr=subprocess.DEVNULL
    )
    assert passed.returncode == 0
    assert refused.returncode != 0


def test_compose_runs_the_service_on_postgres_with_volumes() -> None:
    compose: dict[str, Any] = yaml.safe_load(
        (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    )
    service, database = compose["services"]["vultus"], compose["services"]["db"]
    assert database["image"].startswith("postgres:17")
    assert service["depends_on"]["db"]["condition"] == "service_healthy"
    for container in (service, database):
        assert container["read_only"] is True
        assert container["cap_drop"] == ["ALL"]
        assert container["security_opt"] == ["no-new-privileges:true"]
    assert "cap_add" not in service
    assert [mount.partition(":")[2] for mount in service["volumes"]] == ["/data"]
    variables = set(Settings.variables())
    assert set(service["environment"]) <= variables
    named = {mount.split(":")[0] for s in (service, database) for mount in s["volumes"]}
    assert named == set(compose["volumes"])
    given, default = service["environment"]["VULTUS_DATABASE_URL"].split(":-", maxsplit=1)
    assert given == "${VULTUS_DATABASE_URL"
    url = re.sub(r"\$\{POSTGRES_PASSWORD:-(\w+)\}", r"\1", default.removesuffix("}"))
    assert Settings(database_url=url).resolved_database_url.startswith("postgresql+psycopg://")


def test_pre_commit_runs_what_make_check_runs() -> None:
    (recipe,) = re.findall(r"^check: .*\n((?:\t.*\n)+)", _page("Makefile"), flags=re.MULTILINE)
    checks = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    config: dict[str, Any] = yaml.safe_load(_page(".pre-commit-config.yaml"))
    assert [hook["entry"] for repo in config["repos"] for hook in repo["hooks"]] == checks


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    released = re.findall(
        r"^## \[([\d.]+)\] - \d{4}-\d\d-\d\d$", _page("CHANGELOG.md"), flags=re.MULTILINE
    )
    project = tomllib.loads(_page("pyproject.toml"))["project"]
    assert released[0] == project["version"]


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += [line for line in extra if not line.startswith("vultus")]
    pinned = {
        _normalised(line.split("==")[0])
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    assert {_normalised(re.split(r"[\[<>=]", line)[0]) for line in wanted} <= pinned


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()

"""Text of others is text: in lines, tables, progress, errors, logs and JSON."""

import io
import json
import logging

import pytest
import structlog
from rich.table import Table
from rich.text import Text

from app.cli.output import TextConsole, print_error, print_json, progress_bar
from app.errors import InvalidRequest
from app.observe.logs import configure_logging
from app.observe.plain_text import plain, plain_json
from app.settings import LogSettings
from models.zoo.names import ZOO_NAMES
from models.zoo.registry import ZOO

HOSTILE = {
    "\x1b[2J\x1b]0;owned\x07x": r"\x1b[2J\x1b]0;owned\x07x",
    "two\nlines\r": r"two\nlines\r",
    "\x9b31m": r"\x9b31m",
    "del\x7f": r"del\x7f",
    "\u202egpj.exe": r"\u202egpj.exe",
    "\u2066x\u2069": r"\u2066x\u2069",
    "a\u200bb": r"a\u200bb",
    "line\u2028end": r"line\u2028end",
    "\udcff": r"\udcff",
    "[/nope]": "[/nope]",
    "[red]red[/red]": "[red]red[/red]",
    ":smile:": ":smile:",
}
HARMLESS = ("Zoë Müller", "李小龍", "محمد", "नमस्ते", "👩\u200d🔬", "ب\u200cج", "back\\slash")


@pytest.mark.parametrize(("name", "shown"), HOSTILE.items())
def test_what_could_steer_a_terminal_is_shown(name: str, shown: str) -> None:
    assert plain(name) == shown


@pytest.mark.parametrize("name", HARMLESS)
def test_names_of_all_scripts_stay_as_they_are(name: str) -> None:
    assert plain(name) == name


@pytest.mark.parametrize("name", [*HOSTILE, *HARMLESS])
def test_json_has_the_same_value_and_no_character_that_steers(name: str) -> None:
    text = plain_json({"name": name})
    assert json.loads(text) == {"name": name}
    assert plain(text) == text


def _printed(*things: object) -> str:
    out = io.StringIO()
    TextConsole(file=out, force_terminal=True, width=200).print(*things)
    return out.getvalue()


@pytest.mark.parametrize(("name", "shown"), HOSTILE.items())
def test_a_console_prints_names_as_text_wherever_they_stand(name: str, shown: str) -> None:
    table = Table(name, title=name, caption=name)
    table.add_row(name)
    for thing in (name, table, Text(name)):
        printed = _printed(thing)
        assert "\x1b[2J" not in printed
        assert not set("\x07\x7f\x9b\r\u202e\u2028\u200b") & set(printed)
    assert shown in _printed(name)
    assert shown in _printed(table)


def test_progress_prints_descriptions_as_text() -> None:
    out = io.StringIO()
    console = TextConsole(file=out, force_terminal=True, width=200)
    with progress_bar("{task.description}", console=console) as progress:
        progress.add_task("[/nope] \x1b]0;owned\x07", total=1)
    assert "[/nope]" in out.getvalue()
    assert "\x1b]0" not in out.getvalue()


def test_errors_and_json_of_commands_print_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_error(InvalidRequest("no [/nope] \x1b[2J"))
    print_json({"name": "\x9b31m\udcff"})
    captured = capsys.readouterr()
    assert captured.err == "invalid_request: no [/nope] \\x1b[2J\n"
    assert captured.out == '{"name": "\\u009b31m\\udcff"}\n'


def test_a_log_on_a_console_shows_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        configure_logging(LogSettings(level="info", format="console"))
        log = structlog.get_logger("tests")
        try:
            int("\x1b[2J")
        except ValueError:
            log.exception("happened", name="\x1b]0;owned\x07")
        logging.getLogger("tests").warning("of a library: %s", "\x1b[2J\u202e")
        logging.getLogger("faiss.loader").info("Loading faiss with AVX512-SPR support.")
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    told = capsys.readouterr().err
    assert "Traceback" in told
    assert told.count(r"\x1b[2J") >= 2  # of the error and of the library
    assert "\x1b[2J" not in told
    assert "\x1b]0" not in told
    assert "\u202e" not in told
    assert "AVX512" not in told


def test_names_of_networks_are_known_without_loading_any() -> None:
    assert tuple(ZOO) == ZOO_NAMES

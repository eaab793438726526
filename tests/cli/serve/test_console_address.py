"""The line that ends a start has an address which a browser on this machine can open."""

import pytest

from app.cli.serve.console_address import announcing, console_address
from app.settings import Settings


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("localhost", "localhost"),
        ("192.0.2.7", "192.0.2.7"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104
        ("", "127.0.0.1"),
        ("::", "[::1]"),
        ("2001:db8::1", "[2001:db8::1]"),
    ],
)
def test_address_can_be_opened(host: str, shown: str) -> None:
    assert console_address(host, 8000, tls=False) == f"http://{shown}:8000/console/"
    assert console_address(host, 443, tls=True) == f"https://{shown}:443/console/"


def test_nothing_is_printed_where_the_console_is_off(capsys: pytest.CaptureFixture[str]) -> None:
    announcing(Settings(), "127.0.0.1", tls=False)(8000)
    assert capsys.readouterr().out == "console: http://127.0.0.1:8000/console/\n"
    announcing(Settings(console={"enabled": False}), "127.0.0.1", tls=False)(8000)
    assert capsys.readouterr().out == ""

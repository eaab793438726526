"""Webhooks reach public addresses and permitted ones, and no others, however they are named."""

import socket
from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from app.errors import WebhookTargetRefused
from app.gallery.delivery.webhook_records import Secrets
from app.gallery.delivery.webhook_secrets import new_secret
from app.services.delivery.event_target import Outcome
from app.services.delivery.webhooks.checked_network import Resolve, resolve_by_system
from app.services.delivery.webhooks.permitted_targets import PermittedTargets
from app.services.delivery.webhooks.webhook_sender import WebhookSender
from tests.kit.webhook_receiver import HANG, TWICE, receiving

LOOPBACK = PermittedTargets(networks=[ip_network("127.0.0.0/8")], http=True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "198.18.0.1",
        "203.0.113.5",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::1",
        "2001:0:4136:e378:8000:63bf:f5ff:fffe",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "fec0::1",
        "5f00::1",
        "100::1",
        "3fff::1",
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not PermittedTargets().permits_address(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_permitted(address: str) -> None:
    assert PermittedTargets().permits_address(address)


def test_networks_of_the_settings_are_permitted_and_no_others() -> None:
    permitted = PermittedTargets(networks=[ip_network("10.1.0.0/16"), ip_network("fd00::/8")])
    assert permitted.permits_address("10.1.2.3")
    assert permitted.permits_address("::ffff:10.1.2.3")
    assert permitted.permits_address("fd00::1")
    assert not permitted.permits_address("10.2.0.1")


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "example.com",
        "https://",
        "https:///path",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://example.com/#fragment",
        "https://example.com:port/",
        "https://example.com/ path",
        "https://exämple.com/",
        "https://example.com/\r\nx-header: 1",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[2606:4700::1%25.example.com]/",
        "https://other.org\\.example.com/",
        "https://other.org%00.example.com/",
        "https://other.org;.example.com/",
        "https://example.com/" + "a" * 2_048,
    ],
)
def test_urls_that_are_no_targets_are_refused(url: str) -> None:
    with pytest.raises(WebhookTargetRefused):
        PermittedTargets().require_url(url)


def test_with_a_list_of_hosts_others_are_refused() -> None:
    permitted = PermittedTargets(hosts=["hooks.example.com", "*.example.net"])
    permitted.require_url("https://Hooks.Example.com/a")
    permitted.require_url("https://a.b.example.net:8443/a")
    for host in ("example.com", "example.net", "evilexample.net", "hooks.example.com.evil.org"):
        with pytest.raises(WebhookTargetRefused, match="not one that webhooks may reach"):
            permitted.require_url(f"https://{host}/")


async def _send(
    url: str, permitted: PermittedTargets, *, resolve: Resolve = resolve_by_system
) -> Outcome:
    sender = WebhookSender(permitted, timeout_s=0.3, resolve=resolve)
    try:
        return await sender.send(url, "1-1", "{}", Secrets(new_secret(), None))
    finally:
        await sender.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::1]", "0"])
async def test_no_spelling_reaches_this_machine(host: str) -> None:
    outcome = await _send(f"http://{host}:9/", PermittedTargets(http=True))
    assert outcome.error is not None
    assert "not permitted" in outcome.error or "no connection" in outcome.error


async def test_a_name_that_changes_its_address_is_connected_to_where_it_was_checked() -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> Sequence[str]:
        del port
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.9"]

    with receiving() as receiver:
        receiver.secret = new_secret()
        port = receiver.url.rsplit(":", 1)[1]
        only_here = PermittedTargets(networks=[ip_network("127.0.0.1/32")], http=True)
        outcome = await _send(f"http://hook.test:{port}", only_here, resolve=rebinding)
        # It was connected to, with the name as its Host; there, the signature is another one's.
        assert outcome.status == 401
        assert "hook.test" in receiver.wrong[0]
        assert asked == ["hook.test"]
        refused = await _send(f"http://hook.test:{port}", only_here, resolve=rebinding)
    assert refused.error == "not permitted: hook.test has no public address"


async def test_of_several_addresses_the_permitted_ones_are_tried() -> None:
    with receiving() as receiver:
        receiver.secret = new_secret()
        port = receiver.url.rsplit(":", 1)[1]
        outcome = await _send(
            f"http://hook.test:{port}",
            LOOPBACK,
            resolve=lambda _host, _port: ["10.0.0.1", "127.0.0.77", "127.0.0.1"],
        )
    assert outcome.status == 401


async def test_redirects_are_not_followed_and_proxies_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with receiving() as receiver:
        receiver.secret = secret = new_secret()
        receiver.answer = lambda _message, _before: 302
        receiver.headers = {"location": receiver.url}
        sender = WebhookSender(LOOPBACK, timeout_s=5)
        body = '{"type":"a","timestamp":"2026-01-01T00:00:00Z","data":{}}'
        outcome = await sender.send(receiver.url, "1-1", body, Secrets(secret, None))
        assert outcome == Outcome("answered 302; redirects are not followed", 302)
        assert len(receiver.came) == 1
        receiver.headers = {"retry-after": "7"}
        receiver.answer = lambda _message, _before: 503
        outcome = await sender.send(receiver.url, "1-1", body, Secrets(secret, None))
        assert (outcome.status, outcome.retry_after_s) == (503, 7)
        receiver.answer = lambda _message, _before: 410
        outcome = await sender.send(receiver.url, "1-1", body, Secrets(secret, None))
        assert outcome.is_gone
        await sender.close()


async def test_an_answer_that_comes_twice_counts_once() -> None:
    with receiving() as receiver:
        receiver.secret = secret = new_secret()
        receiver.answer = lambda _message, before: 500 if before else TWICE
        sender = WebhookSender(LOOPBACK, timeout_s=5)
        body = '{"type":"a","timestamp":"2026-01-01T00:00:00Z","data":{}}'
        first = await sender.send(receiver.url, "1-1", body, Secrets(secret, None))
        second = await sender.send(receiver.url, "1-1", body, Secrets(secret, None))
        await sender.close()
    assert (first.error, second.error) == (None, "answered 500")


async def test_both_secrets_sign_while_one_is_replaced() -> None:
    former, current = new_secret(), new_secret()
    body = '{"type":"a","timestamp":"2026-01-01T00:00:00Z","data":{}}'
    for secret in (former, current):
        with receiving() as receiver:
            receiver.secret = secret
            sender = WebhookSender(LOOPBACK, timeout_s=5)
            outcome = await sender.send(receiver.url, "1-1", body, Secrets(current, former))
            await sender.close()
        assert outcome.error is None


async def test_a_receiver_that_hangs_or_is_not_there_is_a_failure() -> None:
    with receiving() as receiver:
        receiver.secret = secret = new_secret()
        receiver.answer = lambda _message, _before: HANG
        sender = WebhookSender(LOOPBACK, timeout_s=0.2)
        body = '{"type":"a","timestamp":"2026-01-01T00:00:00Z","data":{}}'
        outcome = await sender.send(receiver.url, "1-1", body, Secrets(secret, None))
        assert outcome.error == "no answer within 0.2 s"
        await sender.close()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    outcome = await _send(f"http://127.0.0.1:{port}/", LOOPBACK)
    assert outcome.error is not None
    assert outcome.error.startswith("no connection: ")

"""Who the actor is for limits and turns."""

import pytest

from app.observe.acting import NO_KEY, Actor, acting, caller


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_client_who_changes_addresses_in_a_network_of_their_own_is_one_caller(
    one: str, other: str, is_same: bool
) -> None:
    names = []
    for address in (one, other):
        with acting(Actor(NO_KEY, address=address)):
            names.append(caller())
    assert (names[0] == names[1]) is is_same


def test_caller_with_a_key_is_named_by_it_alone() -> None:
    with acting(Actor("0d3c9f4e6f0b", address="192.0.2.1")):
        assert caller() == "key 0d3c9f4e6f0b"

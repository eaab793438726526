"""After a failure only one caller at a time tries again."""

from app.gallery.milvus.circuit import Circuit
from tests.gallery.milvus.conftest import Clock


def test_closed_circuit_lets_everybody_through(clock: Clock) -> None:
    circuit = Circuit(clock=clock)
    assert circuit.lets_through()
    assert circuit.lets_through()
    assert not circuit.is_open()
    assert not circuit.succeeded()


def test_open_circuit_lets_one_try_after_a_pause(clock: Clock) -> None:
    circuit = Circuit(pause_s=1, clock=clock)
    assert circuit.failed()
    assert circuit.is_open()
    assert not circuit.lets_through()
    clock.pass_by(1)
    assert not circuit.is_open()
    assert circuit.lets_through()
    assert circuit.is_open()
    assert not circuit.lets_through()
    assert not circuit.failed()
    assert not circuit.lets_through()
    clock.pass_by(1)
    assert circuit.lets_through()
    assert circuit.succeeded()
    assert circuit.lets_through()


def test_a_try_that_never_ends_keeps_others_out_for_ten_seconds(clock: Clock) -> None:
    circuit = Circuit(pause_s=1, clock=clock)
    circuit.failed()
    clock.pass_by(1)
    assert circuit.lets_through()
    clock.pass_by(9)
    assert not circuit.lets_through()
    clock.pass_by(1)
    assert circuit.lets_through()

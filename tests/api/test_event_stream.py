"""A stream of events ends with the right to read them."""

import pytest
from fastapi.testclient import TestClient

from app.api.event_stream import EventStream
from app.errors import KeyRevoked
from tests.api.people import embedding, enroll_all


async def test_a_key_that_is_revoked_between_two_events_gets_no_more(
    client: TestClient, collection: str
) -> None:
    enroll_all(client, collection, *({"embeddings": [embedding(seed)]} for seed in range(3)))
    services = client.app.state.services  # type: ignore[attr-defined]
    is_revoked = False

    def require() -> None:
        if is_revoked:
            raise KeyRevoked("the key was revoked")

    stream = EventStream(
        services.events, ["identity.created"], [collection], require=require, ends=lambda: False
    )
    texts = stream.texts(0)
    assert (await anext(texts)).startswith("retry: ")
    assert "identity.created" in await anext(texts)
    is_revoked = True
    with pytest.raises(StopAsyncIteration):
        await anext(texts)

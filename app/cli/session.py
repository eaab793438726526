"""Run a use case with services, or with networks alone, that live as long as the command."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from app.cli.configuration import settings_of_command
from app.operations.rollout.embedder_choice import choose_embedder
from app.recognition.build import build_recognizer
from app.recognition.liveness.load_liveness import load_liveness
from app.recognition.pipeline import Recognizer
from app.services import Services, build_services
from app.services.composition import load_chosen_network
from app.settings import Settings
from models.zoo.network import Network

T = TypeVar("T")


def with_services(use: Callable[[Services], Awaitable[T]]) -> T:
    """Build and start the services, await `use` with them, and stop them in any case."""
    settings = settings_of_command()

    async def run() -> T:
        services = build_services(settings)
        try:
            await services.start()
            return await use(services)
        finally:
            await services.stop()

    return asyncio.run(run())


@dataclass(frozen=True, slots=True)
class Loaded:
    """Networks that run without a gallery, and the settings that they were built by."""

    settings: Settings
    network: Network
    recognizer: Recognizer


@contextmanager
def loaded_networks(*, embedder: str | None = None, liveness: bool = False) -> Iterator[Loaded]:
    """Load the networks without a gallery, and stop them at the end.

    `embedder` names another embedding network than the settings do. Where neither names one, it is
    the one of the faces in the database. `liveness`: load the liveness networks as well.
    """
    settings = settings_of_command()
    if embedder is not None:
        settings = settings.model_copy(update={"embedder": embedder})
    choice = choose_embedder(settings)
    settings = choice.settings
    network = load_chosen_network(choice)
    scorer = load_liveness(settings) if liveness else None
    recognizer = build_recognizer(settings, network, liveness=scorer)
    try:
        yield Loaded(settings, network, recognizer)
    finally:
        recognizer.stop()

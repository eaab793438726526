"""Run a use case with services that live as long as the command."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from app.cli.configuration import load_settings
from app.observe.logs import configure_logging
from app.operations.rollout.embedder_choice import choose_embedder
from app.recognition.build import build_recognizer
from app.recognition.liveness.load_liveness import load_liveness
from app.recognition.pipeline import Recognizer
from app.services import Services
from app.services.services import load_chosen_network
from app.settings import LogSettings, Settings
from models.zoo.network import Network

T = TypeVar("T")


def require_one_at_most(threshold: float | None, target: float | None, *, rate: str) -> None:
    """A similarity and an error rate each tell a threshold; a rate of 0 or 1 tells none."""
    if threshold is not None and target is not None:
        raise typer.BadParameter(f"give either --threshold or {rate}")
    if target is not None and not 0 < target < 1:
        raise typer.BadParameter(f"{rate} must lie between 0 and 1")


def with_services(use: Callable[[Services], Awaitable[T]]) -> T:
    """Build and start the services, await `use` with them, and stop them whatever happens."""
    settings = load_settings()
    # A command's own words are what its user reads; the log speaks up only when something is off.
    configure_logging(LogSettings(level="warning", format="console"))

    async def run() -> T:
        services = Services.build(settings)
        try:
            await services.start()
            return await use(services)
        finally:
            await services.stop()

    return asyncio.run(run())


def with_recognizer(
    use: Callable[[Settings, Network, Recognizer], Awaitable[T]],
    *,
    embedder: str | None = None,
    liveness: bool = False,
) -> T:
    """Load the networks alone, without a gallery, await `use` with them, and stop them.

    `embedder` names another embedding network than the settings do. Where neither does, the
    database is looked into for the one that its faces are by. `liveness`: load the networks for
    that as well.
    """
    settings = load_settings()
    if embedder is not None:
        settings = settings.model_copy(update={"embedder": embedder})
    configure_logging(LogSettings(level="warning", format="console"))
    choice = choose_embedder(settings)
    settings = choice.settings
    network = load_chosen_network(choice)
    scorer = load_liveness(settings) if liveness else None
    recognizer = build_recognizer(settings, network, liveness=scorer)

    async def run() -> T:
        return await use(settings, network, recognizer)

    try:
        return asyncio.run(run())
    finally:
        recognizer.stop()

"""The choice of the embedder: the one that the settings name, or the one that `auto` chooses.

`auto` keeps the embedder of the faces in the database; without faces, it takes the default network.
So an upgrade to another default changes no gallery.

Each process chooses once, before it loads its networks. All server processes of one supervisor take
its choice, also those that start later, when the gallery may have changed.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

import structlog

from app.errors import DatabaseDamaged, SettingUnusable, StartupError
from app.gallery.rollout.embedders_in_use import EmbeddersInUse, embedders_in_use
from app.settings import AUTO_EMBEDDER, NextSettings, Settings
from models.zoo.names import DEFAULT_NETWORK

_SETTING = "VULTUS_EMBEDDER"
_WEIGHTS_SETTING = "VULTUS_WEIGHTS_PATH"
_HANDED_ON = "_VULTUS_CHOSEN_EMBEDDER"
"""Passed from a supervisor to the processes that it starts; no setting."""
_PAGE = "docs/upgrading.md"

_log = structlog.get_logger(__name__)


class ChosenBy(StrEnum):
    SETTING = "setting"
    AUTO = "auto"


class Ground(StrEnum):
    """The reason of the choice."""

    NAMED = "it is named"
    FACES = "the faces of the database are by it"
    NO_FACES = "the database has no faces, and it is the default"


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """`settings` name the chosen embedder, and the next one if there is one."""

    settings: Settings
    ground: Ground
    announced: bool = False
    """Whether another process has logged the choice."""
    next_serves: bool = False
    """Whether it was the next embedder: all faces are by it, so there is no next one."""

    @property
    def name(self) -> str:
        return self.settings.embedder

    @property
    def by(self) -> ChosenBy:
        return ChosenBy.SETTING if self.ground is Ground.NAMED else ChosenBy.AUTO

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Add to errors of the embedder that `auto` chose it, and why."""
        try:
            yield
        except StartupError as error:
            if self.by is ChosenBy.AUTO:
                error.args = (f"{_SETTING}=auto chose {self.name}, as {self.ground}: {error}",)
            raise

    def announce(self) -> None:
        """Log what `auto` chose, and how to go over to the default network; once for each start."""
        if self.by is ChosenBy.SETTING or self.announced:
            return
        if self.next_serves:
            _log.info(
                "next_embedder_serves",
                embedder=self.name,
                remedy="VULTUS_NEXT__EMBEDDER is no longer needed",
            )
        if self.ground is Ground.NO_FACES:
            _log.info("embedder_chosen", embedder=self.name, reason=self.ground.value)
            self._warn_of_similarities()
        elif self.name == DEFAULT_NETWORK:
            _log.info("embedder_kept", embedder=self.name, reason=self.ground.value)
        else:
            _log.info(
                "embedder_kept",
                embedder=self.name,
                reason=self.ground.value,
                default=DEFAULT_NETWORK,
                remedy=f"nothing needs to be done; to go over to {DEFAULT_NETWORK} while this "
                f"serves: start with VULTUS_NEXT__EMBEDDER={DEFAULT_NETWORK}, then vultus reembed "
                f"--to {DEFAULT_NETWORK} --photos FOLDER, vultus reembed shadow, vultus reembed "
                f"switch; see {_PAGE}",
            )

    def hand_on(self) -> None:
        """Pass the choice to the processes that this one starts."""
        if self.by is ChosenBy.AUTO:
            os.environ[_HANDED_ON] = f"{self.ground.name}:{self.name}"

    def _warn_of_similarities(self) -> None:
        """Log fixed similarities of the settings, as they are meaningless for another embedder."""
        fixed = {
            "VULTUS_THRESHOLDS__VERIFY": self.settings.thresholds.verify,
            "VULTUS_THRESHOLDS__IDENTIFY": self.settings.thresholds.identify,
        }
        given = [name for name, value in fixed.items() if value is not None]
        if given:
            _log.warning(
                "similarity_of_which_embedder",
                settings=given,
                embedder=self.name,
                remedy=f"name the embedder that they were found for in {_SETTING}, or give error "
                "rates in their place",
            )


def choose_embedder(settings: Settings) -> EmbedderChoice:
    """Follow the setting, or read the database if it is `auto`.

    Raises StartupError when the database cannot be read.
    """
    if settings.embedder != AUTO_EMBEDDER:
        return EmbedderChoice(settings, Ground.NAMED)
    handed_on = os.environ.get(_HANDED_ON)
    if handed_on is not None:
        ground, _, name = handed_on.partition(":")
        return _choice(settings, name, Ground[ground], announced=True)
    try:
        in_use = embedders_in_use(
            settings.resolved_database_url, timeout_s=settings.database.timeout_s
        )
    except DatabaseDamaged as error:
        raise SettingUnusable(
            f"{_SETTING} is auto, and the database is too damaged to say which embedder its faces "
            f"are by ({error}); name it",
            setting=_SETTING,
        ) from error
    kept = _kept(in_use, settings.next.embedder)
    if kept is not None:
        return _choice(settings, kept, Ground.FACES)
    if settings.weights_path is not None:
        raise SettingUnusable(
            f"{_WEIGHTS_SETTING} is given and {_SETTING} is auto; name the network whose weights "
            "they are",
            setting=_SETTING,
        )
    return _choice(settings, DEFAULT_NETWORK, Ground.NO_FACES)


def _kept(in_use: EmbeddersInUse, following: str | None) -> str | None:
    """The embedder of the faces; None without faces.

    Of several, it is the one of the most faces. With a next embedder it is one of the others, so
    that both run from before the switch until after the purge, whenever a process is started.
    """
    if following is None:
        return in_use.answering[0] if in_use.answering else None
    others = [name for name in in_use.either if name != following]
    return others[0] if others else next(iter(in_use.either), None)


def _choice(
    settings: Settings, name: str, ground: Ground, *, announced: bool = False
) -> EmbedderChoice:
    following = settings.next
    changes: dict[str, object] = {"embedder": name}
    next_serves = following.embedder == name and settings.weights_path in (
        None,
        following.weights_path,
    )
    if next_serves:
        changes |= {
            "weights_path": following.weights_path,
            "next": NextSettings(),
        }
    return EmbedderChoice(settings.model_copy(update=changes), ground, announced, next_serves)

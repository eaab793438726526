"""Which embedder serves: the one that the settings name, or the one that `auto` chooses.

`auto` keeps what a gallery rests on: a database with faces keeps their embedder, and one without
takes the default network. So an upgrade whose default is another network changes no gallery.

The choice is made once a process, before its networks are loaded. Server processes that one
supervisor starts all take the supervisor's choice, also those that are started again later, when
the gallery may have changed.
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
"""From a supervisor to the processes that it starts; no setting."""
_PAGE = "docs/upgrading.md"

_log = structlog.get_logger(__name__)


class ChosenBy(StrEnum):
    SETTING = "setting"
    AUTO = "auto"


class Ground(StrEnum):
    """Why it is this one."""

    NAMED = "it is named"
    FACES = "the faces of the database are by it"
    NO_FACES = "the database has no faces, and it is the default"


@dataclass(frozen=True, slots=True)
class EmbedderChoice:
    """`settings` name the embedder that was chosen, and the next one where there is one."""

    settings: Settings
    ground: Ground
    announced: bool = False
    """Another process has logged it."""
    next_serves: bool = False
    """It was the next embedder; all faces are by it, so that nothing comes next."""

    @property
    def name(self) -> str:
        return self.settings.embedder

    @property
    def by(self) -> ChosenBy:
        return ChosenBy.SETTING if self.ground is Ground.NAMED else ChosenBy.AUTO

    @contextmanager
    def explaining(self) -> Iterator[None]:
        """Say in errors of the embedder where `auto` chose it, and why."""
        try:
            yield
        except StartupError as error:
            if self.by is ChosenBy.AUTO:
                error.args = (f"{_SETTING}=auto chose {self.name}, as {self.ground}: {error}",)
            raise

    def announce(self) -> None:
        """Log what `auto` chose, and how to go over to the default network; once a start."""
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
        """Let the processes that this one starts take the same choice."""
        if self.by is ChosenBy.AUTO:
            os.environ[_HANDED_ON] = f"{self.ground.name}:{self.name}"

    def _warn_of_similarities(self) -> None:
        """A similarity that the settings fix was found for one embedder, and is void for others."""
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
    """Follow the setting, or look into the database where it is `auto`.

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
    """The embedder of the faces; None where there are none.

    Of several, the one of the most faces. With a next embedder it is one of the others, so that
    both run from before the switch to after the purge, whichever process is started when.
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

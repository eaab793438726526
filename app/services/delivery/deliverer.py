"""Deliver events to all targets, in a thread with an event loop of its own.

A process looks when the audit log has grown, and when an attempt is due; it asks for nothing else.
Of several processes, the one that holds a target delivers; see `TargetStore`.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from secrets import token_hex
from threading import Event, Thread
from time import monotonic
from typing import Protocol

import structlog

from app.errors import Stopping, Unavailable
from app.gallery.delivery.delivery_records import Backlog, Seen, Settled
from app.gallery.delivery.target_store import TargetStore
from app.observe.metrics import Metrics
from app.services.delivery.blocking_calls import blocking
from app.services.delivery.delivery_pass import DeliveryPass
from app.services.delivery.event_target import EventTarget

_LOOK_ANYWAY_S = 30.0
"""So that a process learns of what another one left behind, whatever it missed."""
_AFTER_FAULT_S = 2.0
_SKIP_EVENTS = 1_000
_SKIP_EVERY_S = 600.0

_log = structlog.get_logger(__name__)


class TargetSource(Protocol):
    """A kind of targets."""

    def targets(self) -> Sequence[EventTarget]:
        """Return those that there are now. Blocks."""
        ...

    async def close(self) -> None:
        """End connections."""
        ...


class Deliverer:
    """Delivers to the targets of all sources while it runs. `lease_s`: as long as another process
    waits for one that was killed."""

    def __init__(
        self,
        store: TargetStore,
        sources: Sequence[TargetSource],
        metrics: Metrics,
        *,
        lease_s: float,
        newest: Callable[[], int],
    ) -> None:
        """`newest` returns the position of the last event that the process knows of."""
        self._store = store
        self._sources = sources
        self._metrics = metrics
        self._lease_s = lease_s
        self._newest = newest
        self._newest_seen = -1
        self._holder = token_hex(16)
        self._targets: Mapping[str, EventTarget] = {}
        self._seen: dict[str, Seen] = {}
        self._skipped_at: dict[str, float] = {}
        self._backlogs: dict[str, Backlog] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}
        self._wakes: dict[str, asyncio.Event] = {}
        self._passes: set[DeliveryPass] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event | None = None
        self._thread: Thread | None = None
        self._stopping = False

    def start(self) -> None:
        ready = Event()
        self._thread = Thread(target=self._main, args=(ready,), name="vultus-delivery", daemon=True)
        self._thread.start()
        ready.wait()

    def wake(self) -> None:
        """Look for events and changed targets now; from any thread."""
        self._call(self._look)

    def begin_stop(self) -> None:
        """Begin no more attempts; those that run end within about a second."""
        self._call(self._begin_stop)

    def stop(self, within_s: float) -> bool:
        """Return whether it ended in time. What is not delivered is delivered by another
        process, or after the next start."""
        self.begin_stop()
        if self._thread is not None:
            self._thread.join(within_s)
            return not self._thread.is_alive()
        return True

    def backlogs(self) -> dict[str, Backlog]:
        """Return what was not delivered at the last look, by the name of the target."""
        return dict(self._backlogs)

    def _call(self, do: Callable[[], object]) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(do)

    def _look(self) -> None:
        if self._news is not None:
            self._news.set()

    def _begin_stop(self) -> None:
        self._stopping = True
        for one in self._passes:
            one.stop()
        for wake in (self._news, *self._wakes.values()):
            if wake is not None:
                wake.set()

    def _main(self, ready: Event) -> None:
        loop = self._loop = asyncio.new_event_loop()
        self._news = asyncio.Event()
        ready.set()
        try:
            loop.run_until_complete(self._serve(self._news))
        except Exception:  # noqa: BLE001  (a defect; requests are answered none the less)
            _log.exception("delivery_ended")
        finally:
            loop.close()

    async def _serve(self, news: asyncio.Event) -> None:
        """Follow each target in a task of its own, as long as there is one."""
        while not self._stopping:
            news.clear()
            newest, before = self._newest(), self._targets
            await self._reading_targets()
            has_events, self._newest_seen = newest != self._newest_seen, newest
            for name, target in self._targets.items():
                wake = self._wakes.setdefault(name, asyncio.Event())
                if has_events or target != before.get(name):
                    wake.set()
                follower = self._followers.get(name)
                if follower is None or follower.done():
                    self._followers[name] = asyncio.create_task(self._follow(name, wake))
            with suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), _LOOK_ANYWAY_S)
        await asyncio.gather(*self._followers.values(), return_exceptions=True)
        for source in self._sources:
            await source.close()

    async def _reading_targets(self) -> None:
        try:
            found = [one for source in self._sources for one in await blocking(source.targets)]
        except Stopping:
            return
        except Unavailable as error:
            _log.warning("delivery_put_off", cause=str(error))
            return
        except Exception:  # noqa: BLE001  (whatever it was, the thread must live on)
            _log.exception("delivery_put_off")
            return
        self._targets = {target.name: target for target in found}
        for gone in set(self._wakes) - set(self._targets):
            self._wakes.pop(gone).set()
            self._seen.pop(gone, None)
            self._backlogs.pop(gone, None)
            self._skipped_at.pop(gone, None)

    async def _follow(self, name: str, wake: asyncio.Event) -> None:
        while (target := self._targets.get(name)) is not None and not self._stopping:
            wake.clear()
            try:
                wait_s = await self._turn(target)
            except Stopping:
                return
            except Unavailable as error:
                _log.warning("delivery_put_off", target=name, cause=str(error))
                wait_s = _AFTER_FAULT_S
            except Exception:  # noqa: BLE001  (as above)
                _log.exception("delivery_put_off", target=name)
                wait_s = _AFTER_FAULT_S
            with suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), wait_s)

    async def _turn(self, target: EventTarget) -> float:
        """Deliver what there is; return the seconds until the next look."""
        store, name = self._store, target.name
        rules = target.rules
        outlook = await blocking(
            store.look,
            name,
            self._holder,
            types=target.types,
            collections=target.collections,
            seen=self._seen.get(name),
            most_failing=rules.most_failing,
        )
        if outlook is None:
            return _LOOK_ANYWAY_S
        self._seen[name] = outlook.seen
        self._backlogs[name] = outlook.backlog
        if outlook.wait_s is None:
            await self._skip(name, outlook.seen)
            return _LOOK_ANYWAY_S
        if outlook.wait_s > 0:
            return min(outlook.wait_s, _LOOK_ANYWAY_S)
        turn = await blocking(
            store.take,
            name,
            self._holder,
            lease_s=self._lease_s,
            types=target.types,
            collections=target.collections,
            most_failing=rules.most_failing,
        )
        if turn is None:  # another process delivers: look after it, should it be killed
            return self._lease_s
        if await self._pass(target, DeliveryPass(target, turn)):
            return 0.0
        return self._lease_s

    async def _skip(self, name: str, seen: Seen) -> None:
        """Note now and then that no event was for a target, so that their lines may go."""
        count, since = seen.up_to - seen.position, self._skipped_at.get(name, -inf)
        if count >= _SKIP_EVENTS or (count and monotonic() - since >= _SKIP_EVERY_S):
            await blocking(self._store.skip, name, seen)
            self._skipped_at[name] = monotonic()

    async def _pass(self, target: EventTarget, one: DeliveryPass) -> bool:
        """Return whether what has become of it is written."""
        self._passes.add(one)
        if self._stopping:
            one.stop()
        running = asyncio.create_task(one.run())
        keeping = asyncio.create_task(self._keep(target.name, running))
        try:
            settled = await running
        except asyncio.CancelledError:
            _log.warning("delivery_taken_over", target=target.name)
            return False
        finally:
            keeping.cancel()
            self._passes.discard(one)
        if not await blocking(self._store.settle, target.name, self._holder, settled):
            _log.warning("delivery_taken_over", target=target.name)
            return False
        self._report(target.name, settled)
        return True

    async def _keep(self, name: str, running: "asyncio.Task[Settled]") -> None:
        """Hold a target while its pass runs; end the pass when another process has it."""
        while True:
            await asyncio.sleep(self._lease_s / 3)
            try:
                is_held = await blocking(
                    self._store.renew, name, self._holder, lease_s=self._lease_s
                )
            except Unavailable:
                continue  # what is delivered meanwhile may come twice
            if not is_held:
                running.cancel()
                return

    def _report(self, name: str, settled: Settled) -> None:
        failed = [attempt for attempt in settled.attempts if attempt.error is not None]
        dead = sum(one.dead_at is not None for one in settled.waiting)
        self._metrics.count_deliveries(delivered=settled.delivered_count, failed=len(failed))
        if failed:
            _log.warning(
                "delivery_failed", target=name, attempts=len(failed), error=failed[-1].error
            )
        if dead:
            _log.error("delivery_given_up", target=name, events=dead)
        if settled.stopped_because is not None:
            _log.error("delivery_stopped", target=name, why=settled.stopped_because.value)

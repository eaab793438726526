"""`vultus sweep`. It loads no network."""

from app.api.schemas.retention import RetentionAnswer
from app.cli.open_database import open_database
from app.cli.output import show
from app.gallery.retention.clock_guard import ClockGuard
from app.gallery.retention.outlook import look_ahead
from app.gallery.store.gallery_store import Store


def sweep(*, confirm: bool, as_json: bool) -> None:
    """Show what waits, or confirm the clock."""
    with open_database(upgrade=True) as (_, database):
        store = Store(database)
        guard = ClockGuard(store)
        if confirm:
            guard.confirm()
        moments = look_ahead(store, guard)
    answer = RetentionAnswer.at(moments, None)
    lines = [f"the clock says {answer.clock:%Y-%m-%d %H:%M:%S} UTC"]
    if confirm:
        lines.append("it is confirmed: a service erases by it within half a minute")
    elif answer.state == "goes_on":
        lines.append("it is believed: people are erased by it when their time is over")
        if answer.behind is not None:
            newest = f"{answer.behind:%Y-%m-%d %H:%M:%S}"
            lines += [
                f"it was believed at {newest} before: until then, its jumps are not noticed",
                "if the clock is right, run vultus sweep --confirm; else set it",
            ]
    else:
        lines.append(f"it is not believed ({answer.why}); {answer.trusted:%Y-%m-%d %H:%M:%S} is")
        lines += [f"- {one.count} {one.what} of {one.collection} wait" for one in answer.waiting]
        lines.append("if the clock is right, run vultus sweep --confirm; else set it")
    show(answer, *lines, as_json=as_json)

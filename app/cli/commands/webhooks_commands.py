"""`vultus webhooks add`, `list`, `rotate`, `enable`, `disable`, `remove`, `test` and `replay`."""

from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson

webhooks = typer.Typer(
    no_args_is_help=True,
    help="Send events to other systems, as signed messages; also beside a server.",
)

WebhookId = Annotated[
    str, typer.Argument(metavar="WEBHOOK", help="Id of the webhook, as `list` prints it.")
]


@webhooks.command()
def add(
    url: Annotated[str, typer.Argument(help="Where events are sent, by POST.")],
    name: Annotated[str, typer.Option(help="What it is for.")] = "webhook",
    collection: Annotated[
        list[str] | None,
        typer.Option(
            help="A collection whose events are sent (default: all); may be repeated.",
            show_default=False,
        ),
    ] = None,
    type_: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            help="A type of events that is sent (default: all); may be repeated.",
            show_default=False,
        ),
    ] = None,
    with_names: Annotated[
        bool, typer.Option("--with-names", help="Send the names of people as well.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a webhook and print its secret, this once. A running server begins to send at once."""
    from app.cli.upkeep.webhooks import add as run

    run(url, name, collection, type_, with_names=with_names, as_json=as_json)


@webhooks.command("list")
def list_(as_json: AsJson = False) -> None:
    """List webhooks: what they get, how far they are, and what failed."""
    from app.cli.upkeep.webhooks import list_ as run

    run(as_json=as_json)


@webhooks.command()
def rotate(
    webhook: WebhookId,
    overlap: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="How long the former secret signs as well."),
    ] = 86_400.0,
    as_json: AsJson = False,
) -> None:
    """Give a webhook another secret and print it, this once."""
    from app.cli.upkeep.webhooks import rotate as run

    run(webhook, overlap_s=overlap, as_json=as_json)


@webhooks.command()
def enable(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Deliver again, from where the webhook was stopped."""
    from app.cli.upkeep.webhooks import switch as run

    run(webhook, enabled=True, as_json=as_json)


@webhooks.command()
def disable(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Deliver nothing until the webhook is enabled."""
    from app.cli.upkeep.webhooks import switch as run

    run(webhook, enabled=False, as_json=as_json)


@webhooks.command()
def remove(webhook: WebhookId) -> None:
    """Remove a webhook, with all that waits for it."""
    from app.cli.upkeep.webhooks import remove as run

    run(webhook)


@webhooks.command("test")
def send_test(webhook: WebhookId, as_json: AsJson = False) -> None:
    """Send a message of the type webhook.test; exit with status 3 if it is not taken."""
    from app.cli.upkeep.webhooks import send_test as run

    run(webhook, as_json=as_json)


@webhooks.command()
def replay(
    webhook: WebhookId,
    after: Annotated[
        int | None,
        typer.Option(
            min=0, help="Deliver all events above this position again.", show_default=False
        ),
    ] = None,
    dead_letter: Annotated[
        int | None,
        typer.Option(min=1, help="Deliver one event again that was given up.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Deliver events again: all above a position, or one that was given up."""
    from app.cli.upkeep.webhooks import replay as run

    run(webhook, after=after, dead_letter=dead_letter, as_json=as_json)

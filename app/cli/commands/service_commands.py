"""`vultus serve`, `demo`, `top`, `plan` and `index`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.gallery.default_collection import DEFAULT_COLLECTION

index = typer.Typer(no_args_is_help=True, help="Look after the search index.")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on [VULTUS_HOST].")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Port to listen on [VULTUS_PORT].")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Server processes [VULTUS_PROCESSES].")
    ] = None,
    tls_cert: Annotated[
        Path | None,
        typer.Option(help="Certificate in PEM, to answer https alone [VULTUS_TLS__CERT]."),
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(help="Its private key in PEM [VULTUS_TLS__KEY].")
    ] = None,
) -> None:
    """Start the service."""
    from app.runtime.garbage import collect_after_start

    collect_after_start()  # before all that a server needs is imported
    from app.cli.serve.serve import serve as run
    from app.cli.serve.tls_files import TlsFiles

    run(host=host, port=port, workers=workers, tls=TlsFiles(tls_cert, tls_key))


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 is any free one.")
    ] = 0,
    no_open: Annotated[
        bool, typer.Option("--no-open", help="Do not open the console in a browser.")
    ] = False,
) -> None:
    """Try the service and its console on sample photos, without any configuration.

    The gallery is in a temporary folder that is removed at the end. No VULTUS_ setting is read, so
    that the demo never reaches a real gallery. Only this machine can connect.
    """
    from app.cli.serve.demo import demo as run

    run(port=port, opens=not no_open)


def top(
    url: Annotated[
        str | None, typer.Option(help="Address of the server (default: this machine, VULTUS_PORT).")
    ] = None,
    every: Annotated[float, typer.Option(min=0.1, help="Seconds between two requests.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Show it once and end.")] = False,
    api_key: Annotated[
        str | None,
        typer.Option(help="API key (default: the first of VULTUS_API_KEYS).", show_default=False),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what /v1/stats answers, once.")
    ] = False,
) -> None:
    """Show what a running server is doing."""
    from app.cli.serve.top import top as run

    run(url, api_key, every_s=every, once=once, as_json=as_json)


class IndexChoice(StrEnum):
    """How Milvus searches: every face, or a graph."""

    FLAT = "flat"
    HNSW = "hnsw"


def plan(
    faces: Annotated[float, typer.Option(help="Faces of the gallery, such as 50e6.")],
    searches_per_s: Annotated[float, typer.Option(help="Searches a second.")] = 10.0,
    writes_per_s: Annotated[float, typer.Option(help="Enrolments and deletions a second.")] = 1.0,
    dimension: Annotated[int, typer.Option(help="Numbers of an embedding.")] = 128,
    faces_a_person: Annotated[float, typer.Option(help="Faces of each person.")] = 2.0,
    by_embedding: Annotated[
        bool, typer.Option("--by-embedding", help="Searches bring embeddings, not photos.")
    ] = False,
    index_type: Annotated[
        IndexChoice, typer.Option("--index", help="Index of Milvus [VULTUS_INDEX__MILVUS_INDEX].")
    ] = IndexChoice.FLAT,
    staged_faces: Annotated[
        float, typer.Option(help="Faces that the filter of a first stage leaves; 0 without one.")
    ] = 0.0,
    staged_hits: Annotated[float, typer.Option(help="Share of searches that end there.")] = 0.8,
    cores: Annotated[int, typer.Option(help="Cores of a machine.")] = 16,
    memory_gb: Annotated[float, typer.Option(help="Memory of a machine, in GB.")] = 64.0,
    copies: Annotated[int, typer.Option(help="Copies of each segment in Milvus.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Calculate machines, memory and disks for a gallery, from what was measured.

    It opens no database. docs/scale.md explains each formula.
    """
    from app.cli.upkeep.capacity_plan import Load
    from app.cli.upkeep.plan import print_plan

    load = Load(
        faces=faces,
        dimension=dimension,
        faces_a_person=faces_a_person,
        searches_per_s=searches_per_s,
        writes_per_s=writes_per_s,
        by_photo=not by_embedding,
        index=index_type.value,
        staged_faces=staged_faces,
        staged_hits=staged_hits,
        cores=cores,
        memory_bytes=1e9 * memory_gb,
        copies=copies,
    )
    print_plan(load, as_json=as_json)


@index.command()
def verify(
    repair: Annotated[
        bool, typer.Option(help="Build what differs again, from the database.")
    ] = True,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each collection.")
    ] = False,
) -> None:
    """Compare index files (or Milvus) with the database, face by face.

    Safe beside a running server. Exit status 0: all agree, 3: some do not.
    """
    from app.cli.upkeep.index import verify as run

    run(repair=repair, as_json=as_json)


@index.command()
def rebuild(
    collection: Annotated[
        str | None, typer.Option(help="The collection to fill Milvus with (default: all).")
    ] = None,
    anew: Annotated[
        bool,
        typer.Option("--anew", help="Also what Milvus has; searches wait meanwhile."),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each collection.")
    ] = False,
) -> None:
    """Fill Milvus from the database, where it lacks a collection or an upload was not ended.

    Safe beside running servers, which go on with it if it is interrupted; run it again to continue.
    """
    from app.cli.upkeep.index import rebuild as run

    run(collection, anew=anew, as_json=as_json)


@index.command("renew-space")
def renew_space(
    collection: Annotated[
        str, typer.Option(help="The collection whose vectors are turned.")
    ] = DEFAULT_COLLECTION,
) -> None:
    """Turn the vectors of an encrypted collection in Milvus by another secret rotation.

    The server fills a second Milvus collection in the background, searches the first one meanwhile,
    and drops it then.
    """
    from app.cli.upkeep.index import renew_space as run

    run(collection)

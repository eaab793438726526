"""Commands that enroll people, recognise them, and move them between installations."""

from pathlib import Path
from typing import Annotated

import typer

from app.cli.commands.common_options import AsJson, Summary, rate
from app.cli.commands.consent_options import (
    Basis,
    Purpose,
    Source,
    TextVersion,
    Until,
    consent_of,
)
from app.gallery.default_collection import DEFAULT_COLLECTION
from app.gallery.people.consent_records import ConsentBasis
from app.operations.enroll.enroll_options import EnrollOptions
from app.operations.identify.verify_options import VerifyOptions
from app.operations.policy.face_rules import FaceRule, QualityFilter, VerifyFaces
from app.recognition.detection import Detection

EnrollIn = Annotated[str, typer.Option(help="The collection to enroll in.")]
OnlyCollections = Annotated[
    list[str] | None, typer.Option(help="Only this collection; may be given several times.")
]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="A file whose first line is the passphrase it is sealed by.",
    ),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        exists=True, dir_okay=False, help="A file with the key that seals it: 32 bytes in base64."
    ),
]


MinScore = Annotated[
    float | None,
    typer.Option(
        "--min-detection-score",
        min=0,
        max=1,
        help="Least score of a face, instead of that of the settings.",
    ),
]
FaceCrops = Annotated[
    bool,
    typer.Option("--face-crops", help="Each photo is a crop of one face: do not search faces."),
]


def enroll_folder(
    folder: Annotated[
        Path,
        typer.Argument(exists=True, file_okay=False, help="A folder with one folder a person."),
    ],
    collection: EnrollIn = DEFAULT_COLLECTION,
    faces: Annotated[
        FaceRule, typer.Option(help="A photo of several faces: refuse it, or take the largest.")
    ] = FaceRule.SINGLE,
    quality_filter: Annotated[
        QualityFilter, typer.Option(help="How good a face must be to be enrolled.")
    ] = QualityFilter.AUTO,
    force: Annotated[
        bool, typer.Option("--force", help="Enroll also faces that the guards refuse.")
    ] = False,
    min_detection_score: MinScore = None,
    face_crops: FaceCrops = False,
    consent: Purpose = None,
    consent_basis: Basis = ConsentBasis.EXPLICIT_CONSENT,
    consent_text: TextVersion = None,
    consent_source: Source = None,
    consent_until: Until = None,
    as_json: Summary = False,
) -> None:
    """Enroll a folder of people: one folder a person, whose name becomes name and external_id.

    Safe to run again: photos that are enrolled already are skipped, new ones are added. Exit status
    0: all photos are enrolled, 3: some were left out; the summary lists them with the reasons.
    """
    from app.cli.people.enroll_folder import enroll_folder as run

    given = consent_of(consent, consent_basis, consent_text, consent_source, consent_until)
    detection = Detection(min_detection_score, is_crop=face_crops)
    options = EnrollOptions(faces, quality_filter, force, detection)
    run(folder, collection, options, given, as_json=as_json)


def enroll_batch(
    file: Annotated[
        typer.FileBinaryRead,
        typer.Argument(
            help="JSON Lines, a person a line (see docs/commands.md); - is standard input.",
        ),
    ],
    collection: EnrollIn = DEFAULT_COLLECTION,
    quality_filter: Annotated[
        QualityFilter,
        typer.Option(help="How good a face must be, where a line has no quality_filter."),
    ] = QualityFilter.AUTO,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each line.")
    ] = False,
) -> None:
    """Enroll many people, a line each. Exit status 0: all are enrolled, 3: some were rejected.

    Safe to run again: people with an external_id who are enrolled already are skipped.
    """
    from app.cli.people.enroll_batch import enroll_batch as run

    defaults = EnrollOptions(quality_filter=quality_filter)
    run(file, collection, defaults, as_json=as_json)


def identify(
    image: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo.")],
    collection: Annotated[str, typer.Option(help="The collection to search.")] = DEFAULT_COLLECTION,
    top_k: Annotated[
        int, typer.Option(min=1, max=100, help="Largest number of candidates for a face.")
    ] = 5,
    threshold: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Least similarity of a match.")
    ] = None,
    target_fpir: Annotated[
        float | None,
        typer.Option(
            parser=rate,
            help="The share of strangers who may be identified, instead of a threshold.",
        ),
    ] = None,
    quality_filter: Annotated[
        QualityFilter, typer.Option(help="How good a face must be to be looked up.")
    ] = QualityFilter.FLOOR,
    min_detection_score: MinScore = None,
    face_crops: FaceCrops = False,
    no_keep_unknown: Annotated[
        bool,
        typer.Option(
            "--no-keep-unknown",
            help="Put no face into the inbox of unknown faces, even if the collection keeps them.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Identify every face of a photo: who it is, or that it is unknown."""
    from app.cli.people.identify import identify as run
    from app.operations.policy.decisions import SearchOptions

    options = SearchOptions(top_k, threshold, target_fpir, keep_unknown=not no_keep_unknown)
    detection = Detection(min_detection_score, is_crop=face_crops)
    run(image, collection, options, quality_filter, detection, as_json=as_json)


def verify(
    a: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photo.")],
    b: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Another photo.")],
    threshold: Annotated[
        float | None, typer.Option(min=-1, max=1, help="Least similarity of a match.")
    ] = None,
    target_fmr: Annotated[
        float | None,
        typer.Option(
            parser=rate, help="The share of strangers who may match, instead of a threshold."
        ),
    ] = None,
    faces: Annotated[
        VerifyFaces,
        typer.Option(
            help="A photo of several faces: refuse it, take the largest, or compare each."
        ),
    ] = VerifyFaces.SINGLE,
    quality_filter: Annotated[
        QualityFilter, typer.Option(help="How good the faces must be.")
    ] = QualityFilter.FLOOR,
    min_detection_score: MinScore = None,
    face_crops: FaceCrops = False,
    as_json: AsJson = False,
) -> None:
    """Decide whether two photos show the same person.

    Exit status 0: match, 3: no match, 4: a face is too bad to be compared.
    """
    from app.cli.people.verify import verify as run

    detection = Detection(min_detection_score, is_crop=face_crops)
    options = VerifyOptions(faces, threshold, target_fmr, quality_filter, detection=detection)
    run(a, b, options, as_json=as_json)


def export(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The archive to write (.zip).")],
    collection: OnlyCollections = None,
    seal: Annotated[
        bool, typer.Option("--seal", help="Seal it by a passphrase, which is asked for.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    key_file: KeyFile = None,
    clear: Annotated[
        bool,
        typer.Option("--clear", help="Leave it in the clear, even if the gallery is encrypted."),
    ] = False,
    as_json: Summary = False,
) -> None:
    """Write the gallery into an archive, as it is at this moment.

    Safe beside a running server. The archive holds biometric data: only you can read it. That of an
    encrypted gallery is sealed by its master key, unless an option says otherwise.
    """
    from app.cli.upkeep.archive_keys import ArchiveKeys
    from app.cli.upkeep.transfer import export as run

    keys = ArchiveKeys(seal, clear, passphrase_file, key_file)
    run(file, collection or (), keys, as_json=as_json)


def import_(
    file: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="An archive that vultus export wrote."),
    ],
    collection: OnlyCollections = None,
    into: Annotated[
        str | None, typer.Option(help="Import a single collection under this name.")
    ] = None,
    with_calibration: Annotated[
        bool,
        typer.Option(
            "--with-calibration",
            help="Let new collections decide by the archive's calibrations, once they are checked.",
        ),
    ] = False,
    passphrase_file: PassphraseFile = None,
    key_file: KeyFile = None,
    as_json: Summary = False,
) -> None:
    """Add the people of an archive. Exit status 0: all are enrolled, 3: some were skipped.

    Safe to run again: people who are enrolled already stay as they are.
    """
    from app.cli.upkeep.archive_keys import ArchiveKeys
    from app.cli.upkeep.transfer import import_ as run

    keys = ArchiveKeys(passphrase_file=passphrase_file, key_file=key_file)
    run(file, collection or (), into, keys, with_calibration=with_calibration, as_json=as_json)

"""Error rates of a collection's similarities."""

from app.api.deps import CollectionPath, ServicesDep
from app.api.endpoint import Asked, Endpoints
from app.api.granted import ANY_KEY
from app.api.schemas.calibration import (
    CalibrationBody,
    CalibrationCurveAnswer,
    CalibrationCurveQuery,
    CalibrationOwner,
)
from app.errors import ThresholdRequired
from app.gallery.keys.rights import Right
from app.gallery.records import Searched
from app.operations.policy.calibration_curve import calibration_curve
from app.runtime.threads import Work, reading, threads, writing
from app.services import Services
from models.evaluation.calibration.similarity_map import SimilarityMap

router = Endpoints("/collections/{collection}/calibration", tag="collections")


@router.endpoint("GET", "", CalibrationBody, right=ANY_KEY)
async def get_calibration(collection: CollectionPath, services: ServicesDep) -> CalibrationBody:
    """Return what a collection's decisions rest on: its own calibration, or the embedder's."""
    used, is_own = await reading(services.calibrator.find_map, collection)
    return CalibrationBody.measured(_measured(used), own=is_own)


@router.endpoint("GET", "/curve", CalibrationCurveAnswer, right=ANY_KEY)
async def get_calibration_curve(
    collection: CollectionPath, services: ServicesDep, query: Asked[CalibrationCurveQuery]
) -> CalibrationCurveAnswer:
    """Return error rates by similarity, and thresholds by the number of people, to plot them.

    Rates beyond the data are marked `extrapolated`: they follow a fitted tail, with wide intervals.
    """
    return await reading(_curve, services, collection, query)


def _curve(
    services: Services, collection: str, query: CalibrationCurveQuery
) -> CalibrationCurveAnswer:
    calibrator = services.calibrator
    used, is_own = calibrator.find_map(collection)
    if query.of is CalibrationOwner.EMBEDDER:
        used, is_own = calibrator.find_embedders_map(collection), False
    counted = services.gallery.collections.get(collection)
    curve = calibration_curve(
        _measured(used),
        calibrator.thresholds(collection),
        Searched(people=counted.people_count, faces=counted.face_count),
        target_fpir=query.target_fpir,
        faces_per_person=query.faces_per_person,
        people=query.people,
        similarity=query.similarity,
    )
    details = calibrator.details(collection) if is_own else None
    return CalibrationCurveAnswer.drawn(curve, own=is_own, details=details)


def _measured(found: SimilarityMap | None) -> SimilarityMap:
    """Raises ThresholdRequired without a calibration."""
    if found is None:
        raise ThresholdRequired(
            "the error rates of this collection's embedder were not measured",
            settings=["VULTUS_THRESHOLDS__VERIFY", "VULTUS_THRESHOLDS__IDENTIFY"],
        )
    return found


@router.endpoint("POST", "", CalibrationBody, right=Right.ADMIN, problems=[409])
async def calibrate_collection(
    collection: CollectionPath, services: ServicesDep
) -> CalibrationBody:
    """Measure the error rates on the people of this collection, and decide by them from now on.

    Thousands of people take half a minute. Only one collection is measured at a time.
    """
    measured = await threads().run(Work.CALIBRATION, services.calibrator.calibrate, collection)
    return CalibrationBody.measured(measured, own=True)


@router.endpoint("DELETE", "", None, right=Right.ADMIN, status=204)
async def delete_calibration(collection: CollectionPath, services: ServicesDep) -> None:
    """Go back to the embedder's calibration."""
    await writing(services.calibrator.forget, collection)

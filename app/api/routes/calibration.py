"""Error rates of a collection's similarities."""

from app.api.deps import CollectionPath, ServicesDep
from app.api.endpoint import Endpoints
from app.api.schemas.calibration import CalibrationBody
from app.errors import ThresholdRequired
from app.runtime.threads import Work, reading, threads, writing

router = Endpoints("/collections/{collection}/calibration", tag="collections")


@router.endpoint("GET", "", CalibrationBody)
async def get_calibration(collection: CollectionPath, services: ServicesDep) -> CalibrationBody:
    """Return what a collection's decisions rest on: its own calibration, or the embedder's."""
    used, is_own = await reading(services.calibrator.find_map, collection)
    if used is None:
        raise ThresholdRequired(
            "the error rates of this collection's embedder were not measured",
            settings=["VULTUS_THRESHOLDS__VERIFY", "VULTUS_THRESHOLDS__IDENTIFY"],
        )
    return CalibrationBody.measured(used, own=is_own)


@router.endpoint("POST", "", CalibrationBody, problems=[409])
async def calibrate_collection(
    collection: CollectionPath, services: ServicesDep
) -> CalibrationBody:
    """Measure the error rates on the people of this collection, and decide by them from now on.

    Thousands of people take half a minute. Only one collection is measured at a time.
    """
    measured = await threads().run(Work.CALIBRATION, services.calibrator.calibrate, collection)
    return CalibrationBody.measured(measured, own=True)


@router.endpoint("DELETE", "", None, status=204)
async def delete_calibration(collection: CollectionPath, services: ServicesDep) -> None:
    """Go back to the embedder's calibration."""
    await writing(services.calibrator.forget, collection)

"""Error rates of a collection's similarities."""

from fastapi import APIRouter

from app.api.deps import CollectionPath, ServicesDep
from app.api.problems import documented
from app.api.schemas.calibration import CalibrationBody
from app.errors import ThresholdRequired
from app.runtime.threads import Work, reading, threads, writing

router = APIRouter(prefix="/collections/{collection}/calibration", tags=["collections"])


@router.get("", responses=documented(404))
async def get_calibration(collection: CollectionPath, services: ServicesDep) -> CalibrationBody:
    """Tell what a collection's decisions rest on: its own calibration, or the embedder's."""
    used, is_own = await reading(services.calibrator.find_map, collection)
    if used is None:
        raise ThresholdRequired(
            "the error rates of this collection's embedder were not measured",
            settings=["VULTUS_THRESHOLDS__VERIFY", "VULTUS_THRESHOLDS__IDENTIFY"],
        )
    return CalibrationBody.of(used, own=is_own)


@router.post("", responses=documented(404, 409))
async def calibrate(collection: CollectionPath, services: ServicesDep) -> CalibrationBody:
    """Measure the people enrolled here, and decide by that from now on.

    Of thousands of people, this takes half a minute; only one is measured at a time.
    """
    measured = await threads().run(Work.CALIBRATION, services.calibrator.calibrate, collection)
    return CalibrationBody.of(measured, own=True)


@router.delete("", status_code=204, responses=documented(404))
async def forget_calibration(collection: CollectionPath, services: ServicesDep) -> None:
    """Go back to the embedder's calibration."""
    await writing(services.calibrator.forget, collection)

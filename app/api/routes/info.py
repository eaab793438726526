"""The version, the networks and the limits of the service."""

from app import __version__
from app.api.deps import ServicesDep
from app.api.endpoint import Endpoints
from app.api.granted import ANY_KEY
from app.api.schemas.info import InfoAnswer, LimitsBody, LivenessInfoBody, ThresholdsBody

router = Endpoints(tag="system")


@router.endpoint("GET", "/info", InfoAnswer, right=ANY_KEY)
async def get_info(services: ServicesDep) -> InfoAnswer:
    """Return the version, the embedder, the device, the default thresholds and the limits."""
    rules = services.calibrator.defaults
    scorer = services.recognizer.liveness
    return InfoAnswer.of(
        services,
        version=__version__,
        model=services.recognizer.model,
        image_formats=services.recognizer.image_formats,
        thresholds=ThresholdsBody.of(
            rules,
            margin=rules.find_margin(),
            verify=rules.find_verify(),
            source=None if rules.map is None else rules.map.source,
        ),
        liveness=None
        if scorer is None
        else LivenessInfoBody(networks=list(scorer.names), threshold=scorer.threshold),
        limits=LimitsBody.of(
            services.settings.limits, min_bytes_per_s=services.constants.min_bytes_per_s
        ),
    )

"""Which similarity counts as a match."""

from dataclasses import dataclass

from app.errors import ThresholdRequired
from app.gallery.options import DecisionOptions


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Defaults, as cosine similarities; None where nobody measured one for the embedder.

    A request's own threshold always wins. `source` tells where the defaults come from.
    """

    embedder: str
    verify: float | None
    identify: float | None
    source: str | None

    def for_verify(self, requested: float | None) -> float:
        """Raises ThresholdRequired when there is neither a request nor a default."""
        return self._pick(requested, self.verify, "VERIFY")

    def for_identify(self, requested: float | None) -> float:
        """Raises ThresholdRequired when there is neither a request nor a default."""
        return self._pick(requested, self.identify, "IDENTIFY")

    def for_grouping(self, options: DecisionOptions, answered: float) -> float:
        """By which unknown faces are grouped: the collection's threshold of identify.

        `answered` is that of the request; it counts where nobody measured another.
        """
        if options.identify_threshold is not None:
            return options.identify_threshold
        return answered if self.identify is None else self.identify

    def _pick(self, requested: float | None, default: float | None, setting: str) -> float:
        if requested is not None:
            return requested
        if default is None:
            raise ThresholdRequired(
                f"nobody has measured a threshold for {self.embedder}; send one, or set "
                f"VULTUS_THRESHOLDS__{setting} to one that you measured on your own photos"
            )
        return default

"""Options of a collection as an archive has them, checked as the API checks them."""

from typing import Annotated

from pydantic import Field

from app.gallery.transfer.archive_lines import Line

_Rate = Annotated[float, Field(gt=0, lt=1)] | None
_Similarity = Annotated[float, Field(ge=-1, le=1)] | None


class DecisionLine(Line):
    target_fmr: _Rate = None
    target_fpir: _Rate = None
    verify_threshold: _Similarity = None
    identify_threshold: _Similarity = None
    margin: Annotated[float, Field(ge=0, le=2)] | None = None


class UnknownLine(Line):
    keep: bool | None = None
    retention_s: Annotated[float, Field(gt=0, le=366 * 86_400)] | None = None


class OptionLine(Line):
    decisions: DecisionLine = DecisionLine()
    unknowns: UnknownLine = UnknownLine()

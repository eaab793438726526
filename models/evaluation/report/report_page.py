"""A report as one self-contained HTML page: it contains its plots, and has no external links."""

from base64 import b64encode
from collections.abc import Iterator

from jinja2 import Environment, PackageLoader, StrictUndefined

from models.evaluation.report import report_text as text
from models.evaluation.report.compare_reports import Comparison
from models.evaluation.report.report_document import Report
from models.evaluation.report.report_plots import as_png
from models.evaluation.statistics.resample import LEVEL


def as_page(report: Report, comparison: Comparison | None = None) -> str:
    """The HTML. `report.about` must have the `model` (name, digest, dimension) and `options`."""
    environment = Environment(
        loader=PackageLoader("models.evaluation.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
    )
    sections = [
        (section, [(plot.title, b64encode(as_png(plot)).decode()) for plot in section.plots])
        for section in report.sections
    ]
    return environment.get_template("report_page.html.jinja").render(
        about=report.about,
        comparison=comparison,
        facts=list(_facts(report)),
        level=round(100 * LEVEL),
        sections=sections,
        text=text,
    )


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    about = report.about
    model = about["model"]
    yield "network", f"{model['name']}, {model['dimension']} dimensions"
    yield "weights", f"SHA-256 {model['digest']}"
    for name in ("made", "version", "faces"):
        if name in about:
            yield name, str(about[name])
    if "detector" in about:
        yield "detector", ", ".join(f"{name} {value}" for name, value in about["detector"].items())
    yield "photos", f"digest {about['photos_digest']}"
    yield "seed", str(about["options"]["seed"])

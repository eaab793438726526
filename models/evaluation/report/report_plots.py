"""Plots as PNG, drawn without a display."""

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.evaluation.report.report_document import Plot

_INCHES = (6.0, 4.2)
_DOTS_PER_INCH = 110


def as_png(plot: Plot) -> bytes:
    """The content of a PNG file."""
    figure = Figure(figsize=_INCHES, dpi=_DOTS_PER_INCH, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for series in plot.series:
        # A logarithmic axis cannot show 0, and would log a warning.
        shown = (plot.x_scale != "log") | (series.x > 0)
        shown &= (plot.y_scale != "log") | (series.y > 0)
        x = series.x[shown]
        if series.name:
            axes.plot(x, series.y[shown], label=series.name, marker="." if len(x) < 3 else "")
        if series.band is not None:
            low, high = (ends[shown] for ends in series.band)
            axes.fill_between(x, low, high, alpha=0.2, linewidth=0, label="95 % interval")
    # A logarithmic axis needs a positive value, which a network without errors does not have.
    if any(((series.x > 0) & (series.y > 0)).any() for series in plot.series):
        axes.set_xscale(plot.x_scale)
        axes.set_yscale(plot.y_scale)
    axes.set_xlabel(plot.x_label)
    axes.set_ylabel(plot.y_label)
    axes.set_title(plot.title)
    axes.grid(visible=True, alpha=0.3)
    if np.any([series.name for series in plot.series]):
        axes.legend()
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

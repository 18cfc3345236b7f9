"""The points of a search."""

import numpy as np
from matplotlib.ticker import LogLocator

from benchmark.report.figures.parameters import PARAMETERS, TICKS_NAMED
from benchmark.report.search import SearchReport
from benchmark.report.style import Drawing, NoDataError, hover, panels


def against_parameters(search: SearchReport) -> Drawing:
    """Value of every finished point against each parameter that is searched."""
    space, done = search.stored.definition["space"], [p for p in search.stored.points if p.value is not None]
    if not done:
        raise NoDataError("no point has finished")
    y, best = np.array([p.value for p in done]), np.isin([p.number for p in done], search.confirmed)
    figure, axes = panels(len(space), sharey=True)
    for axis, (name, values) in zip(axes, space.items(), strict=True):
        found = x = [point.parameters[name] for point in done]
        if (choices := values.get("choices")) is None:
            axis.set(xscale="log" if values["log"] else "linear", xlim=(values["low"], values["high"]))
        elif any(isinstance(choice, bool | str) for choice in choices):
            axis.set_xticks(range(len(choices)), [str(choice) for choice in choices])
            x = [choices.index(value) for value in found]
        elif len(choices) <= TICKS_NAMED:
            axis.set_xticks(choices)
        if axis.get_xscale() == "log":
            subs = (1, 2, 5) if values["high"] < 1000 * values["low"] else (1,)
            axis.xaxis.set(major_locator=LogLocator(subs=subs), major_formatter="{x:g}", minor_formatter="")
        shown = [f"{value:.4g}" if isinstance(value, float) else value for value in found]
        texts = [f"point {p.number}, {name} {at}: {p.value:.2f}°" for p, at in zip(done, shown, strict=True)]
        hover(axis.plot(x, y, "o", clip_on=False, zorder=3, label="finished points")[0], texts)
        axis.plot(np.array(x)[best], y[best], "o", ms=12, mfc="none", color="C3", clip_on=False, label="best points")
        axis.set_xlabel(PARAMETERS.get(name, name))
    axes[0].set_ylabel(f"{search.metric} on the validation part in degrees")
    caption = "Every finished point; the best ones run again on fresh seeds. Neighbouring points differ by chance, too."
    return Drawing(figure, caption, f"Scatter plot of {len(done)} points; the values are in the table of points.")

"""Training curves."""

from matplotlib.ticker import MaxNLocator

from benchmark.report.images import first_arms, shown_note
from benchmark.report.material import Material
from benchmark.report.style import Drawing, NoDataError, in_legend, line_styles, panels
from mhpe.names import title as set_title

WIDE = 30  # ratio of the largest loss to the smallest from which the axis is logarithmic


def training(material: Material) -> Drawing:
    """Total loss over the epochs, mean over seeds."""
    losses = material.store.losses(material.study, material.preset)
    if losses.empty:
        raise NoDataError("no trial stores the history of its training")
    if losses["epoch"].nunique() < 2:
        raise NoDataError("a training of one epoch has no curve")
    train_sets = list(dict.fromkeys(losses["train_set"]))
    figure, axes = panels(len(train_sets), sharey=True)
    for axis, train_set in zip(axes, train_sets, strict=True):
        of_set = losses[losses["train_set"] == train_set]
        arms = first_arms(list(dict.fromkeys(of_set["arm"])), material.baseline)
        styles = line_styles(arms, material.baseline)
        for arm in arms:
            of_arm = of_set[of_set["arm"] == arm]
            axis.plot(of_arm["epoch"] + 1, of_arm["loss"], ms=4, label=in_legend(arm), **styles[arm])
        axis.set(title=f"trained on {set_title(train_set)}", xlabel="epoch", ylabel="total loss")
        if (of_set["loss"] > 0).all() and of_set["loss"].max() > WIDE * of_set["loss"].min():
            axis.set_yscale("log")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return Drawing(
        figure,
        "Total training loss of each epoch, mean over seeds. Losses of different samplers are not comparable as "
        "results: their references differ, and so does what the distance loss measures. Different "
        "heads have different losses." + shown_note(losses["arm"].nunique()),
        "Training loss by epoch, a line for each arm.",
    )

"""Prints what a sampler draws."""

from typing import Any

import click
from rich.columns import Columns
from rich.table import Table

from benchmark.cli.terminal import out, plain_table, print_table
from mhpe.config import CoreConfig
from samplers.support.bin_table import WeightsTable


def print_draws(
    title: str, core: CoreConfig, table: WeightsTable, yaw: float, counts: dict[str, Any], images: int
) -> None:
    """Print one input's references, and the numbers of a whole training's draws.

    Args:
        title: names the sampler and the training set.
        core: of the training.
        table: where the references of inputs at ``yaw`` come from.
        yaw: degrees.
        counts: as :meth:`samplers.support.diagnostics.DrawStatistics.summary` gives them.
        images: number of images in the training set.
    """
    pool = core.references == "pool"
    source = f"a pool of {core.pool_size} images a batch" if pool else "all images"
    click.echo(f"{title}: {images} images, K = {core.k}, references from {source}\n")
    click.echo(f"references of an input at yaw {yaw:g}°{', from all images' if pool else ''}")
    _print_weights(table, core.k)
    click.echo("references of a whole training")
    _print_counts(counts, images)
    out.print(Columns([_bins(counts["bins"]), _distances(counts["distance"])], padding=(0, 6)))
    out.print()


def _print_weights(table: WeightsTable, k: int) -> None:
    binned = table.rows[0].requested is not None  # a sampler with bins may draw in its own way
    weights = ("weight", "share", f"{k} x share", "requested") if binned else ()
    shown = plain_table("yaw bin", "images", *weights, "achieved", numbers_from=1)
    width = 2 * (table.rows[0].centre - table.rows[0].low)
    for row in table.rows:
        numbers = [str(row.images)]
        if row.weight is not None and row.share is not None and row.requested is not None:
            numbers += [f"{row.weight:.3g}", f"{row.share:.3g}", f"{k * row.share:.2f}", f"{row.requested:.2f}"]
        shown.add_row(f"[{row.low:g}, {row.low + width:g})", *numbers, f"{row.achieved:.2f}")
    print_table(shown)
    click.echo(f"effective number of images behind them: {_number(table.effective_references)}\n")


def _print_counts(counts: dict[str, Any], images: int) -> None:
    """Numbers of a whole training's draws."""
    shown = plain_table("", "", numbers_from=1)
    shown.show_header = False
    shown.add_row("effective number of references", f"{_number(counts['effective_references'])} of {images}")
    shown.add_row(f"images drawn at all in {counts['references']} draws", f"{counts['coverage']:.1%}")
    if counts["fallback_share"] is not None:
        shown.add_row("references from another bin than requested", f"{counts['fallback_share']:.1%}")
    shown.add_row("mean distance of input and reference", f"{counts['distance']['mean']:.1f}°")
    for side, sign in (("negative", "below 0°"), ("positive", "from 0° on")):
        numbers = counts["sides"][side]
        if numbers["inputs"]:
            shown.add_row(f"inputs of yaw {sign}: mean yaw of references", f"{numbers['mean_yaw']:.1f}°")
            shown.add_row(f"inputs of yaw {sign}: references on the input's side", f"{numbers['same_side']:.1%}")
    print_table(shown)
    out.print()


def _bins(bins: dict[str, Any]) -> Table:
    """Where inputs are, and where their references were wanted and came from."""
    requested, achieved = bins["requested"], bins["achieved"]
    columns = ("inputs", "requested", "achieved") if requested else ("inputs", "achieved")
    shown = plain_table("yaw bin", *columns, numbers_from=1)
    k, width = sum(achieved), bins["width"]
    for i, share in enumerate(bins["inputs"]):
        numbers = [share, *([requested[i] / k] if requested else []), achieved[i] / k]
        if any(numbers):
            shown.add_row(f"[{width * i - 180:g}, {width * (i + 1) - 180:g})", *(f"{number:.1%}" for number in numbers))
    return shown


def _distances(distance: dict[str, Any]) -> Table:
    """Histogram in steps of two bars, as far as there is something."""
    shares, width = distance["shares"], distance["width"]
    pairs = [a + b for a, b in zip(shares[::2], shares[1::2], strict=True)]
    last = max(i for i, share in enumerate(pairs) if share >= 0.0005)  # 0.1 % when printed
    shown = plain_table("distance", "share", "")
    for i, share in enumerate(pairs[: last + 1]):
        bar = "█" * round(24 * share / max(pairs))
        shown.add_row(f"{2 * width * i:g} to {2 * width * (i + 1):g}°", f"{share:.1%}", bar)
    return shown


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0f}"

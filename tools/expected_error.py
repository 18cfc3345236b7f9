"""Measure what the expected error of ``bench predict`` is worth: ``python -m tools.expected_error --help``."""

from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmark.cli.options import data_root_option
from benchmark.report.writers import csv_text
from mhpe.datasets import prepared
from mhpe.model.matrix_fisher import log_normalizer_and_moments
from mhpe.model.saved import load_network
from mhpe.paths import FOR_PHOTOGRAPHS
from mhpe.predict.views import AT_REST, SLOPE, answer, expected_error
from mhpe.rotations import geodesic_degrees
from mhpe.synthheads.sets import SynthConfig

FITTED, HELD_OUT = 2000, 2001
"""Seeds of SynthHeads: persons that the calibration was found on, and persons that nothing was."""
TENTHS = 10


@click.command()
@data_root_option
@click.option("--every", type=click.IntRange(1), default=1, show_default=True, help="Every n-th photograph.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="CSV file to write.")
def main(data_root: Path | None, every: int, out: Path | None) -> None:
    """Measure expected errors against true ones on SynthHeads and, with a data root, on photographs.

    The first call renders 6,000 heads, which takes minutes. One row a set and measure: rank correlation with the
    geodesic error, area under the risk-coverage curve (mean error over all coverages) beside those of random and of
    oracle order, expected and observed error, over all images and by tenths of the expected error.
    """
    torch.set_num_threads(1)
    fitted = [_measures(name, SynthConfig(seed=FITTED), None) for name in ("synth_lab", "synth_wild")]
    together = pd.concat(fitted)
    slope, at_rest = np.polyfit(together["apart"], together["error"], 1)
    click.echo(f"expected error = {at_rest:.2f} + {slope:.2f} x spread (in use: {AT_REST} + {SLOPE})")
    sets = {f"{name}, seed {HELD_OUT}": (name, 1) for name in ("synth_lab", "synth_wild")}
    if data_root is not None:
        sets |= {name: (name, every) for name in ("aflw2000", "biwi")}
    rows = []
    for title, (name, step) in sets.items():
        found = _measures(name, SynthConfig(seed=HELD_OUT), data_root, step)
        for measure in ("concentration", "spread"):
            expected, error = found[measure].to_numpy(), found["error"].to_numpy()
            rows.append({"set": title, "measure": measure, "images": len(found)} | reliability(expected, error))
    table = pd.DataFrame(rows)
    click.echo(table.round(2).to_string(index=False))
    if out is not None:
        out.write_text(csv_text(table), encoding="utf-8")


def _measures(name: str, synth: SynthConfig, data_root: Path | None, step: int = 1) -> pd.DataFrame:
    """Geodesic error, spread (apart), and the errors that it and the concentration imply, of each image, in degrees."""
    network = load_network(FOR_PHOTOGRAPHS).network
    data = prepared(name, network.config.image_size, data_root, synth)
    images = torch.from_numpy(np.array(data.images[::step]))
    (rotations, strengths), apart = answer(network, images)
    moments = log_normalizer_and_moments(strengths.double())[1]
    return pd.DataFrame(
        {
            "error": geodesic_degrees(rotations, torch.from_numpy(data.rotations[::step])).numpy(),
            "apart": apart.numpy(),
            "spread": expected_error(apart).numpy(),
            "concentration": torch.rad2deg(((moments.sum(-1) - 1) / 2).acos()).numpy(),
        }
    )


def reliability(expected: NDArray[np.floating], error: NDArray[np.floating]) -> dict[str, float]:
    """What an expected error is worth, from N of them and the N true ones, in degrees.

    The area under the risk-coverage curve is the mean, over n = 1 to N, of the mean error of the n images with the
    least expected error.
    """
    order = np.argsort(expected, kind="stable")

    def area(by: NDArray[np.integer]) -> float:
        return float((np.cumsum(error[by]) / np.arange(1, len(error) + 1)).mean())

    found = {
        "rank_correlation": float(spearmanr(expected, error).statistic),
        "area": area(order),
        "area_random": float(error.mean()),
        "area_oracle": area(np.argsort(error)),
        "expected": float(expected.mean()),
        "observed": float(error.mean()),
    }
    for number, tenth in enumerate(np.array_split(order, TENTHS), 1):
        found |= {f"expected_{number}": float(expected[tenth].mean()), f"observed_{number}": float(error[tenth].mean())}
    return found


if __name__ == "__main__":
    main()

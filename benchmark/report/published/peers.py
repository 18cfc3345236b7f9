"""Published results of other methods, each with its source."""

from importlib.resources import files

import pandas as pd

CEP = "CEP (cost-error product) = parameters in millions x MAE in degrees; smaller is better"
"""The slides name the product without a definition; this is the one used here, printed wherever it is shown."""
COLUMNS = {"Protocol 1": "biwi_mae", "Protocol 2": "aflw_mae"}


def peers() -> pd.DataFrame:
    """Methods trained on 300W-LP unless their source says otherwise.

    Returns:
        Columns method, params_m (millions), gmacs (multiply-adds of an image, 1e9), input (pixels), errors in degrees
        on AFLW2000-3D (``aflw_*``) and BIWI (``biwi_*``), and source. What has no source is missing.
    """
    with (files("benchmark.report.published") / "peers.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file)


def peers_on(protocol: str) -> pd.DataFrame:
    """Method, parameters in millions, MAE and CEP of the peers with both.

    Args:
        protocol: "Protocol 1" or "Protocol 2" of the slides.
    """
    rows = peers().rename(columns={COLUMNS[protocol]: "mae"}).dropna(subset=["params_m", "mae"])
    return rows.assign(cep=rows["params_m"] * rows["mae"])[["method", "params_m", "mae", "cep", "source"]]

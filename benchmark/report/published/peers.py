"""Published results of other methods with their source, and this suite's arms on the same protocols."""

from pathlib import Path

import pandas as pd

from benchmark.report.text import number
from benchmark.report.views import Columns, cell, to_text
from benchmark.study.protocols import PROTOCOLS

FOLDER = Path(__file__).parent  # of the published numbers
CEP = "CEP (cost-error product) = parameters in millions x MAE in degrees; smaller is better"
"""The slides name the product without a definition; this is the one used here, stated wherever it is shown."""
COLUMNS = {"Protocol 1": "biwi_mae", "Protocol 2": "aflw_mae"}


def peers() -> pd.DataFrame:
    """Methods trained on 300W-LP unless their source says otherwise.

    Returns:
        Columns method, params_m (millions), gmacs (multiply-adds of an image, 1e9), input (pixels), errors in degrees
        on AFLW2000-3D (``aflw_*``) and BIWI (``biwi_*``), and source. What has no source is missing.
    """
    return pd.read_csv(FOLDER / "peers.csv")


def on_published_protocols(ours: pd.DataFrame) -> pd.DataFrame:
    """Rows with a result on the slides' own protocols, and these protocols' labels as column ``published``.

    ``ours`` are rows of all studies, as :func:`benchmark.report.summary.summarise` gives them, with a column study.
    """
    labels = {name: protocol.published for name, protocol in PROTOCOLS.items() if protocol.published}
    found = ours.assign(published=ours["protocol"].map(labels)).dropna(subset=["published", "mae", "weights"])
    return found.drop_duplicates(["arm", "preset", "protocol", "mae", "weights"])


def cost_table(ours: pd.DataFrame) -> pd.DataFrame:
    """Columns method, params_m (millions), and mae and cep on each of the slides' protocols, and source."""
    rows = peers().rename(columns={column: f"mae {protocol}" for protocol, column in COLUMNS.items()})
    own = on_published_protocols(ours)
    found = [
        {
            "method": f"{arm} (measured here, preset {preset})",
            "params_m": of_arm["weights"].iloc[0] / 1e6,
            **{f"mae {row['published']}": row["mae"] for _, row in of_arm.iterrows()},
            "source": "this store",
        }
        for (_, arm, preset), of_arm in own.groupby(["study", "arm", "preset"], sort=False)
    ]
    table = pd.concat([rows, pd.DataFrame(found)], ignore_index=True)
    for protocol in COLUMNS:
        table[f"cep {protocol}"] = table["params_m"] * table[f"mae {protocol}"].astype(float)
    columns = [f"{value} {protocol}" for protocol in COLUMNS for value in ("mae", "cep")]
    return table[["method", "params_m", "gmacs", "input", *columns, "source"]]


def cost_text(table: pd.DataFrame) -> pd.DataFrame:
    """The same as people read it."""
    values = [(kind, protocol) for protocol in COLUMNS for kind in ("mae", "cep")]
    shown: Columns = {
        "Method": cell(str, "method"),
        "Parameters (M)": cell(number, "params_m"),
        **{f"{kind.upper()} {on}": cell(number, f"{kind} {on}") for kind, on in values},
        "Source": cell(str, "source"),
    }
    return to_text(table, shown)

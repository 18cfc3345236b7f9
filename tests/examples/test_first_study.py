"""The notebook runs from its first cell to its last."""

from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOK = Path(__file__).parents[2] / "examples" / "first_study.ipynb"


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path) -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    printed = "".join(output["text"] for output in outputs if output.get("name") == "stdout")
    assert "4 trials: 4 trained" in printed
    assert "6 trials: 2 trained, 4 reused" in printed

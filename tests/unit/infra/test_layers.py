"""The layers, built: small enough for Lambda, and complete without anything that this machine has."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from upid.runtime.template import Template

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
LAYERS = {"UpidLayer": "upid", "DependenciesLayer": "dependencies", "NumericsLayer": "numerics", "TablesLayer": "tables"}
LAMBDA_BYTES = 250 * 1024 * 1024  # AWS Lambda, "Deployment package size", unzipped, all layers included
FUNCTIONS = Template.load().document["Resources"]
IMPORT_ALL = """
import importlib, json, sys
sys.path[:0] = json.loads(sys.argv[1])
module = importlib.import_module(sys.argv[2])
getattr(module, "api", lambda: None)()
print(sorted({getattr(loaded, "__file__", None) or "" for name, loaded in sys.modules.items() if name.split(".")[0] in ("upid", "functions", "pydantic")})[0])
"""


def built(folder: Path, **environment: str) -> dict[str, Path]:
    """Build every layer as `sam build` does and return where each lies; skips the test where the package index cannot be reached."""
    for name, source in LAYERS.items():
        variables = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "ARTIFACTS_DIR": str(folder / name), **environment}
        done = subprocess.run(
            ["make", "-s", f"build-{name}"],
            cwd=ROOT / "layers" / source,
            env=variables,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode and "connection" in done.stderr.lower():
            pytest.skip(f"the package index cannot be reached: {done.stderr.splitlines()[-1]}")
        assert done.returncode == 0, done.stderr[-2000:]
    return {name: folder / name for name in LAYERS}


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def layers_of(name: str) -> list[str]:
    own = FUNCTIONS[name]["Properties"].get("Layers", [])
    return ["UpidLayer", "DependenciesLayer", *(layer.text for layer in own)]


def test_every_function_fits_with_its_layers(tmp_path: Path) -> None:
    sizes = {name: size(folder) for name, folder in built(tmp_path).items()}
    code = size(ROOT / "functions")

    for name in Template.load().functions:
        assert code + sum(sizes[layer] for layer in layers_of(name)) < LAMBDA_BYTES, (name, sizes)
    assert next((tmp_path / "DependenciesLayer").rglob("_pydantic_core.cpython-312-aarch64-linux-gnu.so"))
    assert next((tmp_path / "NumericsLayer").rglob("_multiarray_umath.cpython-312-aarch64-linux-gnu.so"))


def test_every_function_runs_on_its_layers_alone(tmp_path: Path) -> None:
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    layers = built(tmp_path, ARCHITECTURE=platform.machine(), PYTHON_VERSION=here)
    shutil.copytree(ROOT / "functions", tmp_path / "code" / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    for name, function in Template.load().functions.items():
        paths = json.dumps([str(tmp_path / "code"), *(str(layers[layer] / "python") for layer in layers_of(name))])

        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", IMPORT_ALL, paths, function.module],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert done.returncode == 0, (name, done.stderr[-1500:])
        assert done.stdout.startswith(str(tmp_path)), (name, done.stdout)

"""The wheel: what it holds, and that it works outside the checkout."""

import configparser
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import harness
from tests.forkserver import SECONDS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, as the build backend makes it from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def unpacked(wheel):
    folder = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def outside(unpacked, folder, *arguments):
    """`python ARGUMENTS` in a folder outside the checkout, with the wheel's harness before every other."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**inherited, "PYTHONPATH": str(unpacked), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments],
        check=False,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )


def test_it_holds_properties_templates_settings_and_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        licence = archive.read(f"tensor_harness-{harness.__version__}.dist-info/licenses/LICENSE").decode()
    assert licence == (ROOT / "LICENSE").read_text()
    in_the_checkout = [*ROOT.glob("harness/**/*"), *ROOT.glob("properties/**/*")]
    files = [
        path.relative_to(ROOT).as_posix()
        for path in in_the_checkout
        if path.is_file() and "__pycache__" not in path.parts
    ]
    shipped = {
        name.replace("properties/", "harness/properties/", 1) if name.startswith("properties/") else name
        for name in files
    }
    assert {"harness/properties/agreement.py", "harness/py.typed"} <= shipped
    assert {name for name in shipped if name.startswith("harness/report/templates/")}
    assert shipped <= names
    others = {name.partition("/")[0] for name in names} - {"harness"}
    assert others == {f"tensor_harness-{harness.__version__}.dist-info"}


def test_its_metadata_names_the_command_the_plugin_and_the_licence(unpacked):
    (metadata,) = unpacked.glob("*.dist-info")
    entry_points = configparser.ConfigParser(delimiters="=")
    entry_points.read(metadata / "entry_points.txt")
    assert dict(entry_points["console_scripts"]) == {"harness": "harness.command.main:main"}
    assert dict(entry_points["pytest11"]) == {"harness.execute.plugin": "harness.execute.plugin"}
    head = (metadata / "METADATA").read_text().partition("\n\n")[0]
    assert f"Version: {harness.__version__}" in head
    assert "License-Expression: MIT" in head
    assert "Requires-Dist: torch>=" in head


def test_it_lists_its_operations_and_tells_its_version_outside_the_checkout(unpacked, tmp_path):
    done = outside(unpacked, tmp_path, "-m", "harness", "list", "--json")
    assert done.returncode == 0, done.stderr
    assert "pooling_commutes" in next(
        entry["properties"] for entry in json.loads(done.stdout) if entry["operation"] == "pool_then_decode"
    )
    asked = (
        "from harness.verify import suite; print(suite.__file__, suite.known_findings_file().parent); "
        "from harness.command.main import main; main(['--version'])"
    )
    package, properties, *version = outside(unpacked, tmp_path, "-c", asked).stdout.split()
    assert version[-1] == harness.__version__
    assert Path(package) == unpacked / "harness" / "verify" / "suite.py"
    assert Path(properties) == unpacked / "harness" / "properties"


def test_it_verifies_and_reports_outside_the_checkout(unpacked, tmp_path):
    done = outside(
        unpacked,
        tmp_path,
        *("-m", "harness", "run", "linear", "-k", "batch_permutation", "--dtype", "float64", "--device", "cpu"),
        *("--examples", "4", "--jobs", "1", "--json"),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert not summary["causes"]
    assert sum(summary["cells"].values()) == 3
    assert (tmp_path / "reports" / "latest" / "index.html").stat().st_size > 1000


def test_pytest_finds_the_plugin_by_its_entry_point_and_takes_it_once(unpacked, tmp_path):
    for named in ([], ["-p", "harness.execute.plugin"]):
        done = outside(unpacked, tmp_path, "-m", "pytest", *named, "--help")
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("--harness-dtype=DTYPE") == 1

"""The package as users get it: a link package in the tree, a wheel without top-level leaks."""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINKS = {"hashing", "reader", "connectors", "pipeline", "jobs", "conf"}


def test_links_are_relative_and_lead_to_the_folders():
    package = ROOT / "src" / "tamis"
    links = {entry.name: os.readlink(entry) for entry in package.iterdir() if entry.is_symlink()}
    assert links == {name: f"../../{name}" for name in LINKS}
    assert all((package / name).is_dir() for name in links)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True)
    return next(folder.glob("*.whl"))


@pytest.mark.package
def test_the_wheel_holds_one_package_with_its_data(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names} == {"tamis", wheel.name.split("-py3")[0] + ".dist-info"}
    for wanted in ("tamis/py.typed", "tamis/hashing/tables/words_v1.npz", "tamis/conf/quickstart.yaml"):
        assert wanted in names


@pytest.mark.package
def test_a_clean_environment_sees_tamis_alone(wheel, tmp_path):
    venv.create(tmp_path / "env")
    python = str(tmp_path / "env" / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python]  # one of its own would take longer than all the rest
    subprocess.run([*pip, "install", "--quiet", "--no-deps", str(wheel)], check=True)
    code = f"import importlib.util as u, tamis;print(tamis.__version__, [n for n in {sorted(LINKS)} if u.find_spec(n)])"
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    seen = subprocess.check_output([python, "-c", code], text=True, cwd=tmp_path, env=environment)
    assert seen.strip() == "0.1.0 []"


@pytest.mark.package
def test_the_wheel_works_as_a_zip_on_the_path(wheel, tmp_path):
    archive = tmp_path / "tamis.zip"
    archive.write_bytes(wheel.read_bytes())
    code = (
        "import tamis.hashing.unicode_table as t; print(t.__file__.split('.zip')[0][-5:], t.words_v1().ascii_fold[65])"
    )
    seen = subprocess.check_output(
        [sys.executable, "-c", code], text=True, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(archive)}
    )
    assert seen.strip() == "tamis 97"

"""The source archive is the tree, and the wheel its packages with their files and types."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = (
    "import sys; from setuptools.build_meta import build_sdist, build_wheel; "
    "folder = sys.argv[1]; build_sdist(folder); build_wheel(folder)"
)
PACKAGES = ("dataset_cards", "evaluator", "protocol", "space", "submission")
TOP = (
    *("CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md"),
    *("app.py", "pyproject.toml", "requirements.txt"),
)
FOLDERS = (*PACKAGES, "benchmarks", "docs", "tests")


def test_the_source_archive_has_every_file_and_the_wheel_those_of_packages_and_their_types(
    tmp_path: Path,
) -> None:
    tree = tmp_path / "tree"
    for name in FOLDERS:
        shutil.copytree(
            ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", ".*")
        )
    for name in TOP:
        shutil.copy(ROOT / name, tree / name)
    wanted = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
    subprocess.run(
        [sys.executable, "-c", BUILD, tmp_path], cwd=tree, capture_output=True, check=True
    )
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        held = {name.partition("/")[2] for name in opened.getnames()}
    assert wanted - held == set()
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        held = set(file.namelist())
    assert {name for name in wanted if name.startswith(PACKAGES)} - held == set()
    assert {f"{package}/py.typed" for package in PACKAGES} <= held

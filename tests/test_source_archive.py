"""The source archive is the tree: what it was made of, it can be tested and read by."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
BUILD = "import sys; from setuptools.build_meta import build_sdist; build_sdist(sys.argv[1])"
TOP = (
    *("CONTRIBUTING.md", "LICENSE", "MANIFEST.in", "Makefile", "README.md"),
    *("app.py", "pyproject.toml", "requirements.txt"),
)
FOLDERS = (
    *("benchmarks", "dataset_cards", "docs", "evaluator", "protocol", "space"),
    *("submission", "tests"),
)


def test_the_source_archive_has_every_file_of_the_tree(tmp_path: Path) -> None:
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

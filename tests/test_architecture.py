"""The rooms' arrows, on every module; no cycles; files and functions of a size one can hold."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "protocol": set(),
    "dataset_cards": {"protocol"},
    "submission": {"protocol"},
    "evaluator": {"protocol", "submission", "dataset_cards"},
    "space": {"protocol", "submission"},
    "app": {"space", "protocol"},
}
LIBRARIES_OF = {"protocol": {"numpy"}, "submission": {"huggingface_hub", "httpx2"}}
MODULES = sorted(
    path for room in MAY_IMPORT for path in [*(ROOT / room).rglob("*.py"), *ROOT.glob(f"{room}.py")]
)


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """Yield the modules that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    room = name_of(path).split(".")[0]
    roots = {name.split(".")[0] for name in imports_of(path)}
    assert roots & set(MAY_IMPORT) <= {room, *MAY_IMPORT[room]}
    if room in LIBRARIES_OF:
        foreign = roots - set(sys.stdlib_module_names) - set(MAY_IMPORT) - {"_typeshed"}
        assert foreign <= LIBRARIES_OF[room]


def test_no_module_imports_itself_through_others() -> None:
    graph = {name_of(path): set(imports_of(path)) for path in MODULES}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join([*trail, name])
        if name in done or name not in graph:
            return
        for other in graph[name]:
            visit(other, (*trail, name))
        done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_files_and_functions_are_of_a_size_one_can_hold(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno + 1 <= 52, f"{path.name}: {node.name}"


def test_files_of_tests_and_benchmarks_are_of_that_size_too() -> None:
    files = [*(ROOT / "tests").rglob("*.py"), *(ROOT / "benchmarks").glob("*.py")]
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name for name, length in lengths.items() if length > 300} == set()
    assert len(files) > 100


def test_every_module_can_be_imported_without_effect_or_heavy_library() -> None:
    heavy = ("torch", "diffusers", "transformers", "pyiqa", "gradio", "datasets", "skimage")
    names = [name_of(path) for path in MODULES if not path.name.startswith("__main__")]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""

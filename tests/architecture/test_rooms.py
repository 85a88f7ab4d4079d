"""The house of the design as an executable table: who may import whom, and what start-up may load."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "gcfit"

# room: the rooms that it may import from, besides itself
ROOMS: dict[str, set[str]] = {
    "errors": set(),
    "chromatogram": {"errors"},
    "formats": {"errors", "chromatogram"},
    "column": {"errors", "chromatogram"},
    "fitting": {"errors", "chromatogram", "column"},
    "results": {"errors", "chromatogram", "column", "fitting"},
    "figures": {"errors", "chromatogram", "formats", "column", "fitting", "results"},
    "report": {"errors", "chromatogram", "column", "fitting", "results"},
    "batch": {"errors", "chromatogram", "formats", "column", "fitting", "results", "figures", "report"},
}
ROOMS["cli"] = set(ROOMS)


def imports(path: Path) -> set[tuple[str, str]]:
    """(module, name) pairs that a file imports from gcfit, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "gcfit":
            found |= {(node.module or "", alias.name) for alias in node.names}
        elif isinstance(node, ast.Import):
            found |= {(alias.name, "") for alias in node.names if alias.name.split(".")[0] == "gcfit"}
    return found


def room_of(module: str, name: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else name


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.stem[0] != "_"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_room_imports_only_from_the_rooms_below_it(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    allowed = ROOMS[room] | {room, "__version__"}
    wrong = {(module, name) for module, name in imports(path) if room_of(module, name) not in allowed}
    assert not wrong, f"{path.relative_to(ROOT)} imports {wrong}"


def test_numerical_and_laplace_do_not_know_each_other() -> None:
    files = sorted((PACKAGE / "column" / "numerical").glob("*.py"))
    known = {name for file in files for imported in imports(file) for name in imported}
    assert len(files) > 1
    for stranger in ("laplace", "closed_form", "quadrature"):
        assert not {name for name in known if name.split(".")[-1] == stranger}


def test_only_the_command_line_knows_click() -> None:
    for path in FILES:
        if "cli" not in path.parts:
            assert "click" not in path.read_text(encoding="utf-8").split(), path


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; sys.argv = ['gcfit', *sys.argv[1:]]\n"
        "from gcfit.cli.main import main\n"
        "try: main()\n"
        "finally: print(sorted(m for m in sys.modules if m in "
        "{'numpy', 'scipy', 'pandas', 'matplotlib', 'pybaselines', 'sqlite3'}), file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, cwd=ROOT, check=True)
    assert run.stderr.strip() == "[]"

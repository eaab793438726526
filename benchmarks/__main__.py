"""`python -m benchmarks NAME ...`: run a benchmark; without a name, list them."""

import ast
import sys
from importlib import import_module
from pathlib import Path

_ROOT = Path(__file__).parent
_FOLDERS = ("accuracy", "speed", "reliability", "training")


def benchmarks() -> dict[str, Path]:
    """The file of each benchmark: a module of one of the folders that has a `main`."""
    return {
        path.stem: path
        for folder in _FOLDERS
        for path in sorted((_ROOT / folder).glob("*.py"))
        if "\ndef main() -> None:\n" in path.read_text(encoding="utf-8")
    }


def module_of(path: Path) -> str:
    """The name under which a benchmark's file is imported."""
    return ".".join(("benchmarks", *path.relative_to(_ROOT).with_suffix("").parts))


def main() -> None:
    """Run the benchmark that the command line names.

    Raises:
        SystemExit: No benchmark has that name; the message lists those that exist.
    """
    known = benchmarks()
    if len(sys.argv) == 1 or sys.argv[1] in ("-h", "--help"):
        print("python -m benchmarks NAME [OPTIONS]; NAME --help lists its options\n")
        for name, path in known.items():
            summary = (ast.get_docstring(ast.parse(path.read_bytes())) or "").splitlines()[0]
            print(f"  {name:20} {summary}")
        return
    name, *options = sys.argv[1:]
    if name not in known:
        sys.exit(f"There is no benchmark {name!r}. There are: {', '.join(known)}")
    sys.argv = [f"python -m benchmarks {name}", *options]
    import_module(module_of(known[name])).main()


if __name__ == "__main__":
    main()

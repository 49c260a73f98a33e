"""Who may import whom; see the table in CONTRIBUTING.md."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "kseg"
ALL = {"layers", "encoders", "models", "losses", "metrics", "data", "palette", "config", "runs"}
ALLOWED = {
    "layers": set(),
    "kernels": set(),
    "losses": set(),
    "metrics": set(),
    "encoders": {"layers", "kernels"},
    "models": {"layers", "encoders"},
    "palette": set(),
    "config": set(),
    "files": set(),
    "quiet": set(),
    "runs": set(),
    "data": {"palette"},
    "inference": {
        "kernels",
        "losses",
        "models",
        "metrics",
        "data",
        "palette",
        "config",
        "runs",
        "opencv_net",
    },
    "opencv_net": set(),
    "training": ALL | {"kernels", "inference"},
    "demo": {"inference", "data", "palette", "config"},
    "export": {"layers", "models", "inference", "config", "runs", "data", "palette"},
    "commands": ALL | {"inference", "training", "export"},
    "launch": {"config", "cli"},
    "memory": set(),
    "cli": {"config", "memory"},
    "__init__": set(),
    "__main__": {"cli"},
}
WITHOUT_KERAS = {
    "data",
    "opencv_net",
    "files",
    "quiet",
    "memory",
    "palette",
    "config",
    "runs",
    "cli",
    "launch",
    "__init__",
}
BACKENDS = {"tensorflow", "jax", "torch"}
# Where a backend's own operation is worth an exception.
OWN_OPERATIONS = {
    PACKAGE / "kernels" / name
    for name in ("convolve.py", "dilate.py", "enlarge.py", "normalise.py", "plain.py", "update.py")
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports_of(path, top_level_only=False):
    tree = ast.parse(path.read_text("utf-8"))
    nodes = tree.body if top_level_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_module_imports_only_what_its_folder_may(path):
    part = part_of(path)
    for name in imports_of(path):
        package, _, rest = name.partition(".")
        if package == "kseg" and rest:
            used = rest.split(".")[0]
            assert used in {part, "files", "quiet", *ALLOWED[part]}, f"{path} imports {name}"
        if package == "keras":
            assert part not in WITHOUT_KERAS, f"{path} imports {name}"
        may = part == "export" or path in OWN_OPERATIONS
        assert package not in BACKENDS or may, f"{path} imports {name}"


@pytest.mark.parametrize("script", sorted([*ROOT.glob("examples/*.py"), *ROOT.glob("tools/*.py")]))
def test_scripts_are_thin(script):
    kseg_imports = {name for name in imports_of(script) if name.startswith("kseg")}
    assert kseg_imports == {"kseg.cli"}
    assert len(script.read_text("utf-8").splitlines()) <= 30


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if part_of(path) == "export" or path in OWN_OPERATIONS],
    ids=str,
)
def test_backends_are_imported_inside_functions_only(path):
    packages = {name.split(".")[0] for name in imports_of(path, top_level_only=True)}
    assert not packages & {*BACKENDS, "tf2onnx", "onnx", "onnxruntime", "openvino", "ncnn", "nncf"}


def test_importing_kseg_loads_nothing_heavy(run_script):
    code = "import kseg, sys; print([m for m in ('keras', 'numpy', 'cv2') if m in sys.modules])"
    assert run_script("-c", code).stdout.strip() == "[]"


def test_files_are_small():
    assert [p for p in MODULES if len(Path(p).read_text("utf-8").splitlines()) > 300] == []

"""Export to ncnn, by way of ONNX and pnnx."""

from __future__ import annotations

import subprocess
import tempfile
from collections import Counter
from importlib.util import find_spec
from pathlib import Path

import keras

from kseg.config import NcnnConfig
from kseg.export.artifact import Artifact
from kseg.export.graph import ExportGraph, make_graph
from kseg.export.ncnn_nodes import for_pnnx
from kseg.export.ncnn_swaps import NCNN_SWAPS, PlaneOfLabels
from kseg.export.onnx_model import onnx_model
from kseg.export.source import Source
from kseg.export.swaps import SWAPS

_OPSET = 17
_INPUT, _OUTPUT = "in0", "out0"
_LONGEST_CONVERSION = 1800


def convert(source: Source, config: NcnnConfig, path: Path) -> Artifact:
    """Write a `.param` file and its `.bin` file.

    Raises:
        ValueError: pnnx is missing, or the model has an operation that ncnn lacks.
    """
    import onnx

    program = pnnx_program()
    graph = ncnn_graph(source, config)
    model, _ = onnx_model(graph, opset=_OPSET, layout="NCHW")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        onnx.save(for_pnnx(model), file)
        param, weights = run_pnnx(program, file, half=config.precision == "float16")
        kinds = layer_kinds(param)
        check_layers(kinds, source)
        path.write_bytes(param.read_bytes())
        path.with_suffix(".bin").write_bytes(weights.read_bytes())
    names = {"layout": "NCHW", "input": _INPUT, "outputs": (_OUTPUT,), "output": config.output}
    facts = {
        "layers": ", ".join(f"{kind} {number}" for kind, number in kinds.most_common()),
        "blobs": f"{_INPUT} -> {_OUTPUT}",
    }
    return Artifact(path, graph.sidecar("ncnn", **names), facts)


def ncnn_graph(source: Source, config: NcnnConfig) -> ExportGraph:
    """Make the graph to convert; labels are float32 planes there, for ncnn has no integers."""
    labels = config.output == "labels"
    output = "probabilities" if labels else config.output
    graph = make_graph(source, config, swaps=(*NCNN_SWAPS, *SWAPS), output=output)
    if not labels:
        return graph
    image, scores = graph.model.inputs[0], graph.model.outputs[0]
    model = keras.Model(image, PlaneOfLabels(name="answer_labels")(scores), name=source.name)
    return ExportGraph(model, source, output)


def pnnx_program() -> Path:
    """Return the converter that comes with the package pnnx.

    Raises:
        ValueError: It is not installed.
    """
    # Not imported: the package wants PyTorch, which its program does without.
    spec = find_spec("pnnx")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for name in ("pnnx", "pnnx.exe"):
            if (program := Path(folder) / name).is_file():
                return program
    raise ValueError(
        "exporting to ncnn needs the converter pnnx, which is not installed: pip install --no-deps "
        "pnnx (without --no-deps PyTorch would come along, which it does not need)"
    )


def run_pnnx(program: Path, file: Path, *, half: bool) -> tuple[Path, Path]:
    """Convert an ONNX file, and return the `.param` and the `.bin` file beside it.

    Raises:
        ValueError: The converter failed.
    """
    import onnx

    (image,) = onnx.load(file, load_external_data=False).graph.input
    shape = ",".join(str(dim.dim_value) for dim in image.type.tensor_type.shape.dim)
    command = [str(program), file.name, f"inputshape=[{shape}]", f"fp16={int(half)}"]
    done = subprocess.run(
        command,
        cwd=file.parent,
        capture_output=True,
        text=True,
        timeout=_LONGEST_CONVERSION,
        check=False,
    )
    param, weights = (file.with_suffix(f".ncnn.{end}") for end in ("param", "bin"))
    if done.returncode or not param.is_file() or not weights.is_file():
        last = (done.stdout + done.stderr).strip().splitlines()[-1:] or ["it said nothing"]
        raise ValueError(f"the converter pnnx failed with code {done.returncode}: {last[0]}")
    return param, weights


def layer_kinds(param: Path) -> Counter[str]:
    """Return the types of the layers of a `.param` file, and how many there are of each."""
    lines = param.read_text("utf-8").splitlines()[2:]
    return Counter(line.split()[0] for line in lines if line.strip())


def check_layers(kinds: Counter[str], source: Source) -> None:
    """Refuse layers that ncnn does not have, which pnnx passes on under their old names.

    Raises:
        ValueError: There are some.
    """
    from ncnn import ncnn

    unknown = [kind for kind in kinds if ncnn.layer_to_index(kind) < 0]
    if unknown:
        name = source.info.model_name
        raise ValueError(
            f"{name}: ncnn has no {', '.join(sorted(unknown))}, which this model needs; "
            "docs/deployment.md lists formats and options with which it can be exported"
        )

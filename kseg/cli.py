"""The command `kseg` and the entry points of the scripts in `examples/` and `tools/`."""

from __future__ import annotations

import difflib
import errno
import importlib
import importlib.util
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from kseg.files import check_output_folder
from kseg.quiet import quiet_stderr

USAGE_EXIT_CODE = 2
# What installs the modules that are called otherwise.
_PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "png": "pypng",
    "skimage": "scikit-image",
    "yaml": "PyYAML",
    "zlib_ng": "zlib-ng",
}
_REASONS = {
    errno.EEXIST: "this is a file, where a folder is needed",
    errno.ENOTDIR: "a part of this path is a file, where a folder is needed",
    errno.EISDIR: "this is a folder, where a file is needed",
    errno.ENOENT: "this does not exist, or cannot be made here",
    errno.EACCES: "no permission to read or write here",
    errno.EPERM: "no permission to read or write here",
    errno.EROFS: "this disk can only be read",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the quota of the disk is used up",
}


class Command(NamedTuple):
    """Where a command's config class and function are; nothing is imported before it runs."""

    config: str
    function: str
    summary: str
    needs_keras: bool = True


COMMANDS = {
    "train": Command("TrainConfig", "kseg.training.start:start", "train a model"),
    "predict": Command("PredictConfig", "kseg.commands:predict", "segment images"),
    "evaluate": Command(
        "EvaluateConfig", "kseg.inference.evaluate:evaluate", "score a model on a data set"
    ),
    "test": Command(
        "FolderTestConfig", "kseg.inference.folder_test:folder_test", "segment and score folders"
    ),
    "train_medical": Command(
        "MedicalConfig",
        "kseg.training.medical:train_medical",
        "train on few grey images with 0/255 masks",
    ),
    "demo": Command("DemoConfig", "kseg.demo.serve:demo", "try models on a web page"),
    "launch": Command(
        "LaunchConfig", "kseg.launch:launch", "train with several processes", needs_keras=False
    ),
    "compare": Command("CompareConfig", "kseg.training.compare:compare", "compare runs"),
    "export_onnx": Command("OnnxConfig", "kseg.export:export", "export to ONNX"),
    "export_pb": Command("PbConfig", "kseg.export:export", "export to a frozen TensorFlow graph"),
    "export_savedmodel": Command(
        "SavedModelConfig", "kseg.export:export", "export to a TensorFlow SavedModel"
    ),
    "export_litert": Command("LitertConfig", "kseg.export:export", "export to LiteRT"),
    "export_openvino": Command("OpenvinoConfig", "kseg.export:export", "export to OpenVINO"),
    "export_ncnn": Command("NcnnConfig", "kseg.export:export", "export to ncnn"),
    "export_tensorrt": Command("TensorrtConfig", "kseg.export:export", "export to TensorRT"),
    "export_all": Command("ExportAllConfig", "kseg.export:export_all", "export to every format"),
    "models": Command("ModelsConfig", "kseg.commands:print_models", "list the models"),
    "parts": Command(
        "PartsConfig", "kseg.commands:make_parts", "draw the data set", needs_keras=False
    ),
    "download_data": Command(
        "DownloadConfig", "kseg.commands:download_data", "fetch a data set", needs_keras=False
    ),
    "check_data": Command(
        "CheckConfig", "kseg.commands:check_data", "find faults in a data set", needs_keras=False
    ),
    "augmentation": Command(
        "AugmentationConfig",
        "kseg.commands:write_augmented",
        "write augmented copies of images",
        needs_keras=False,
    ),
    "voc_annotation": Command(
        "VocAnnotationConfig",
        "kseg.commands:voc_annotation",
        "write VOC's lists of images",
        needs_keras=False,
    ),
    "json_to_dataset": Command(
        "LabelmeConfig",
        "kseg.commands:json_to_dataset",
        "make label maps of labelme files",
        needs_keras=False,
    ),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run `kseg COMMAND ...`."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments or arguments[0] in ("-h", "--help"):
        print(_overview())
        sys.exit(0)
    if arguments[0] == "--version":
        from kseg import __version__

        print(__version__)
        sys.exit(0)
    if arguments[0] not in COMMANDS:
        close = difflib.get_close_matches(arguments[0], COMMANDS, n=1)
        meant = f", did you mean {close[0]!r}?" if close else ""
        known = ", ".join(COMMANDS)
        _fail("kseg", f"unknown command {arguments[0]!r}{meant}; commands are {known}")
    run(arguments[0], arguments[1:], prog=f"kseg {arguments[0]}")


def run(name: str, argv: Sequence[str] | None = None, *, prog: str | None = None) -> None:
    """Parse the flags of a command and run it; a user's error ends in one line and exit code 2.

    `KSEG_TRACEBACK=1` in the environment shows the whole traceback instead.
    """
    prog = prog or Path(sys.argv[0]).name
    command = COMMANDS[name]
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files that are no text are printed as well as standard error prints them.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        _call(command, argv, prog)
    except (ValueError, OSError) as error:
        if os.environ.get("KSEG_TRACEBACK"):
            raise
        _fail(prog, " ".join(_plain(error).split()))
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if os.environ.get("KSEG_TRACEBACK") or module in ("", "kseg"):
            raise
        package = _PACKAGES.get(module, module)
        _fail(prog, f"kseg needs the module {module}, which is not here: pip install {package}")
    except KeyboardInterrupt:
        print(f"\n{prog}: interrupted", file=sys.stderr)
        sys.exit(130)


def _call(command: Command, argv: Sequence[str] | None, prog: str) -> None:
    from kseg import config

    settings = config.parse_config(getattr(config, command.config), argv, prog=prog)
    for folder in getattr(settings, "output_folders", ()):
        check_output_folder(Path(folder))
    if command.needs_keras:
        prepare_backend(getattr(settings, "backend", None))
        _import_keras()
    module, function = command.function.split(":")
    getattr(importlib.import_module(module), function)(settings)


def prepare_backend(needed: str | None = None) -> None:
    """Choose an installed backend and set what must be set before Keras loads.

    Args:
        needed: The only backend that a command works on, whatever the user's own choice is.

    Raises:
        ValueError: It is not installed, or none is.
    """
    if needed is not None and "keras" not in sys.modules:
        if importlib.util.find_spec(needed) is None:
            raise ValueError(f"this command works on {needed} alone: pip install {needed}")
        os.environ["KERAS_BACKEND"] = needed
    if "KERAS_BACKEND" not in os.environ and importlib.util.find_spec("tensorflow") is None:
        installed = [name for name in ("jax", "torch") if importlib.util.find_spec(name)]
        if not installed:
            raise ValueError("no backend is installed: pip install tensorflow, jax or torch")
        os.environ["KERAS_BACKEND"] = installed[0]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from kseg.files import user_cache
    from kseg.memory import keep_freed_memory

    keep_freed_memory()
    # Building a U-Net compiles hundreds of initialisers on JAX: half a minute without a cache.
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(user_cache() / "jax"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def _import_keras() -> None:
    try:
        with quiet_stderr():
            importlib.import_module("keras")
    except ModuleNotFoundError as error:
        backend = (error.name or "").partition(".")[0]
        if backend not in ("tensorflow", "jax", "torch"):
            raise
        raise ValueError(
            f"the backend {backend}, which KERAS_BACKEND or Keras' own settings ask for, is not "
            f"installed: pip install {backend}"
        ) from None
    except ValueError as error:
        sentence, _, backend = str(error).partition(":")
        if "import backend" not in sentence:
            raise
        raise ValueError(
            f"KERAS_BACKEND or Keras' own settings ask for the backend {backend.strip()}, which is "
            "none; choose tensorflow, jax or torch"
        ) from None


def _plain(error: Exception) -> str:
    """Return what an exception says, in words where the system has a number for it."""
    if isinstance(error, OSError) and error.filename and error.errno in _REASONS:
        return f"{error.filename}: {_REASONS[error.errno]}"
    return str(error)


def _overview() -> str:
    width = max(map(len, COMMANDS))
    rows = (f"  {name:<{width}} {command.summary}" for name, command in COMMANDS.items())
    return "\n".join(
        ["usage: kseg COMMAND [--help] [flags]", "", "commands:", *rows, "", "kseg --version"]
    )


def _fail(prog: str, message: str) -> None:
    print(f"{prog}: error: {message}", file=sys.stderr)
    sys.exit(USAGE_EXIT_CODE)


if __name__ == "__main__":
    main()

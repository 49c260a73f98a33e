"""Files with settings, as `--config` takes them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import yaml

from kseg.config.usage import UsageError


def config_files_first(config_class: type, arguments: Sequence[str]) -> list[str]:
    """Return a command line whose flags win over its files wherever these stand.

    Files without any setting are left out. Words after `--` are not looked at.

    Raises:
        UsageError: A file is no YAML, or has a setting twice or without a value.
    """
    end = arguments.index("--") if "--" in arguments else len(arguments)
    files, others = [], []
    words = iter(arguments[:end])
    for word in words:
        name, equals, file = word.partition("=")
        if name != "--config":
            others.append(word)
            continue
        file = file if equals else next(words, "")
        if not Path(file).is_file():
            # The parser says what is wrong with it.
            files.extend([name, file] if file else [name])
        elif any(value is not None for value in _read(config_class, Path(file)).values()):
            files.append(f"{name}={file}")
    return [*files, *others, *arguments[end:]]


def _read(config_class: type, file: Path) -> dict[str, Any]:
    try:
        text = file.read_text("utf-8")
        _refuse_repeated_keys(file, yaml.compose(text, yaml.SafeLoader))
        values = yaml.safe_load(text) or {}
    except (UnicodeDecodeError, yaml.reader.ReaderError):
        raise UsageError(f"--config {file}: this is no text in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f" in line {mark.line + 1}" if mark else ""
        raise UsageError(f"--config {file}: this is no YAML: {error.problem}{where}") from None
    if not isinstance(values, dict):
        raise UsageError(f"--config {file}: expected lines such as `epochs: 20`, got {text!r:.60}")
    hints = get_type_hints(config_class)
    for name, value in values.items():
        if value is None and type(None) not in get_args(hints.get(name)):
            raise UsageError(f"--config {file}: {name} has no value; give one or leave it out")
    return values


def _refuse_repeated_keys(file: Path, node: yaml.Node | None) -> None:
    if not isinstance(node, yaml.MappingNode):
        return
    seen: set[str] = set()
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise UsageError(f"--config {file}: {key.value} stands there twice, in line {line}")
            seen.add(key.value)
        _refuse_repeated_keys(file, value)

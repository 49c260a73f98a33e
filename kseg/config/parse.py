"""From a command line and a YAML file to a config object, and back to YAML."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import yaml
from jsonargparse import ArgumentError, ArgumentParser

from kseg.config.files import config_files_first
from kseg.config.usage import UsageError
from kseg.files import replacing

Config = TypeVar("Config")

_SWITCH_VALUES = ("true", "false", "yes", "no")


def parse_config(
    config_class: type[Config], argv: Sequence[str] | None = None, *, prog: str | None = None
) -> Config:
    """Build a config from flags, on top of `--config FILE`, on top of the defaults.

    Flags win over files wherever both stand; of several files the last one wins.

    A config class may have `aliases`, short names of its flags, and a method `base_arguments()`:
    flags that come before those of the command line, such as `--config` with another file. It is
    called on values that `__post_init__` has not checked, because they may fit only what that file
    says. A class may have `several`: the names of fields that take any number of values without a
    flag, with their help; or `positional`: the name of the field that a first word without a flag
    is for.

    Args:
        config_class: A dataclass whose docstring describes every field.
        argv: The command line without the program's name; None takes it from `sys.argv`.
        prog: Name of the program in the help.

    Raises:
        UsageError: An unknown flag or key, or a bad value; one sentence that names it.
    """
    arguments = _without_aliases(config_class, sys.argv[1:] if argv is None else argv)
    positional = getattr(config_class, "positional", None)
    if positional and arguments and not arguments[0].startswith("-"):
        arguments.insert(0, f"--{positional}")
    values = _parse(config_class, arguments, prog)
    if hasattr(config_class, "base_arguments"):
        unchecked: Any = object.__new__(config_class)
        vars(unchecked).update(values)
        if base := unchecked.base_arguments():
            values = _parse(config_class, [*base, *arguments], prog)
    return config_class(**values)


def _parse(config_class: type, arguments: list[str], prog: str | None) -> dict[str, Any]:
    parser = ArgumentParser(prog=prog, exit_on_error=False, allow_abbrev=False)
    parser.add_argument("--config", action="config", help="YAML file with any of these settings.")
    several: dict[str, str] = getattr(config_class, "several", {})
    for name, text in several.items():
        parser.add_argument(name, nargs="+", help=text)
    parser.add_class_arguments(config_class, None, as_positional=True, skip=set(several))
    try:
        words = config_files_first(config_class, _complete_switches(config_class, arguments))
        values = parser.parse_args(words).as_dict()
    except ArgumentError as error:
        raise UsageError(_one_sentence(str(error), config_class)) from None
    values.pop("config", None)
    return values


def save_config(config: Any, path: Path, exclude: Sequence[str] = ()) -> None:
    """Write the config to a YAML file that `--config` reads, without the fields of `exclude`."""
    with replacing(path) as draft:
        draft.write_text(config_text(config, exclude), "utf-8")


def config_text(config: Any, exclude: Sequence[str] = ()) -> str:
    """Return the config as YAML, without the fields of `exclude`."""
    values = {k: v for k, v in dataclasses.asdict(config).items() if k not in exclude}
    return yaml.safe_dump(values, sort_keys=False)


def _without_aliases(config_class: type, arguments: Sequence[str]) -> list[str]:
    """Write flags that have a short name (`aliases` of the config class) with their own."""
    aliases = getattr(config_class, "aliases", {})
    replaced = []
    for argument in arguments:
        name, equals, value = argument.removeprefix("--").partition("=")
        known = argument.startswith("--") and name in aliases
        replaced.append(f"--{aliases[name]}{equals}{value}" if known else argument)
    return replaced


def _complete_switches(config_class: type, arguments: list[str]) -> list[str]:
    """Let `--validate` alone mean `--validate true`.

    Where words without a flag are expected too, a switch does not take them for its value.
    """
    fields = dataclasses.fields(config_class)
    switches = {f"--{field.name}" for field in fields if field.type in (bool, "bool")}
    required = any(
        field.default is field.default_factory is dataclasses.MISSING for field in fields
    )
    completed = []
    for argument, following in pairwise([*arguments, "--"]):
        completed.append(argument)
        is_word = required and following.lower() not in _SWITCH_VALUES
        if argument in switches and (is_word or following.startswith("--")):
            completed.append("true")
    return completed


def _one_sentence(message: str, config_class: type) -> str:
    """Turn the parser's report into one line that names the key and the allowed values."""
    text = re.sub(r"\s+", " ", message).strip()
    aliases: dict[str, str] = getattr(config_class, "aliases", {})
    known = [field.name for field in dataclasses.fields(config_class)]
    unknown = re.search(r"[Oo]ption '(?:--)?([^']+)' is not accepted", text) or re.search(
        r"[Uu]nrecognized arguments: --([^\s=]+)", text
    )
    if unknown:
        meant = aliases.get(unknown[1], unknown[1])
        return f"unknown setting {unknown[1]!r}{_closest(meant, known)}; --help lists all"
    value = re.search(r'Parser key "([^"]+)": (.*)', text)
    if not value:
        return text
    # Only a file can have a number or a switch where a text is wanted.
    quotes = "; put it into quotes in the file" if "Expected a <class 'str'>" in text else ""
    return f"--{value[1]}: {_plain_types(value[2])}{quotes}"


def _plain_types(text: str) -> str:
    union = re.search(r"Subtypes: .*? Errors: (.*?) Given value type: .*? Given value: (.*)", text)
    if union:
        kinds = re.findall(
            r"[Ee]xpected (?:one of |a )?(.+?)(?:, got .*?)?(?= - |$)", _plain_types(union[1])
        )
        wanted = " or ".join(kind for kind in kinds if "NoneType" not in kind)
        return f"expected {wanted}, got {union[2]}"
    text = re.sub(r"Expected a typing\.Literal\[([^\]]*)\]", r"expected one of \1", text)
    return re.sub(r"Expected a <class '(\w+)'>", r"expected \1", text).replace(". Got", ", got")


def _closest(word: str, known: Sequence[str]) -> str:
    import difflib

    close = difflib.get_close_matches(word, known, n=1)
    return f", did you mean {close[0]!r}?" if close else ""

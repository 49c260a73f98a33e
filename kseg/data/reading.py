"""Describing how a data set reads its files: what is kept of them holds for that alone."""

from __future__ import annotations

from dataclasses import fields
from functools import partial
from types import FunctionType
from typing import Any

from kseg.data.dataset import Dataset

_NOT_READING = {"name", "train", "val", "test", "class_names"}


def describe_reading(dataset: Dataset) -> str | None:
    """Describe what turns files into images and labels; None where that has no description.

    Two data sets of equal descriptions make the same of the same files, in any process.
    """
    chosen = [f.name for f in fields(dataset) if f.name not in _NOT_READING]
    described = [(name, _describe(getattr(dataset, name))) for name in chosen]
    reader = (type(dataset).__qualname__, *described)
    return None if any(text is None for _, text in described) else repr(reader)


def _describe(value: Any) -> str | None:
    if isinstance(value, partial):
        inner = _describe(value.func)
        rest = _describe((value.args, sorted(value.keywords.items())))
        return None if inner is None or rest is None else f"{inner}{rest}"
    if isinstance(value, FunctionType) and value.__closure__ is None:
        name = f"{value.__module__}.{value.__qualname__}"
        return None if "<" in name else name  # "<lambda>" may be any
    text = repr(value)
    # An address differs in each process, and a shortened array may hide what differs.
    return None if " at 0x" in text or "..." in text else text

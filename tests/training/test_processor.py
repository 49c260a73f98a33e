"""A precision that the processor lacks is spoken of, and no other."""

import pytest

from kseg.training import processor

OLD, NEW = "fpu avx avx2 fma", "fpu avx2 avx512f avx512_bf16"


@pytest.mark.parametrize(
    ("precision", "flags", "accelerator", "warned"),
    [
        ("mixed_bfloat16", OLD, False, True),
        ("mixed_bfloat16", NEW, False, False),
        ("mixed_bfloat16", OLD + " amx_bf16", False, False),
        ("mixed_bfloat16", OLD, True, False),
        ("mixed_bfloat16", None, False, False),
        ("float32", OLD, False, False),
    ],
)
def test_a_processor_without_the_precision(
    precision, flags, accelerator, warned, tmp_path, monkeypatch, capsys
):
    info = tmp_path / "cpuinfo"
    if flags is not None:
        info.write_text(f"processor\t: 0\nmodel name\t: some\nflags\t\t: {flags}\n", "utf-8")
    monkeypatch.setattr(processor, "CPU_INFO", info)
    monkeypatch.setattr(processor, "has_accelerator", lambda: accelerator)
    processor.warn_of_slow_precision(precision)
    assert ("--precision float32" in capsys.readouterr().out) == warned

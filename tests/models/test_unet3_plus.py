import numpy as np
import pytest

from kseg.models import get_model


def test_each_decoder_stage_sees_every_scale_in_equal_width():
    model = get_model("unet3+", 2, (64, 64, 3), filters=4)
    for level in range(4):
        branches = [model.get_layer(f"dec{level}_from{source}_conv") for source in range(5)]
        assert [branch.output.shape[-1] for branch in branches] == [4] * 5
        assert {branch.output.shape[1] for branch in branches} == {64 >> level}
        assert model.get_layer(f"dec{level}_conv").output.shape[-1] == 20
    # Coarser stages have been decoded already, so they are wide; finer ones are the encoder's.
    seen = [model.get_layer(f"dec1_from{source}_conv").input.shape[-1] for source in range(5)]
    assert seen == [4, 8, 20, 20, 64]


def test_deep_supervision_scores_every_stage():
    model = get_model("unet3+", 3, filters=4, levels=3, deep_supervision=True)
    outputs = model(np.zeros((1, 67, 71, 3), "float32"))
    assert set(outputs) == {"logits", "aux1", "aux2"}
    assert {tuple(x.shape) for x in outputs.values()} == {(1, 67, 71, 3)}


def test_too_few_levels_are_refused():
    with pytest.raises(ValueError, match=r"unet3\+ needs levels >= 2, got 1"):
        get_model("unet3+", levels=1)

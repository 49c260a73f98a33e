"""Every layer of kseg comes back from its settings and from a file as it was."""

import importlib
import pkgutil

import keras
import numpy as np
import pytest
from keras import layers, ops

import kseg.layers
from kseg.layers.blend import Blend, ChannelDot
from kseg.layers.factorization import NonNegativeFactorization
from kseg.layers.fcn import BilinearUpsampling
from kseg.layers.instance import InstanceNormalization
from kseg.layers.pooling import AdaptiveAveragePool
from kseg.layers.position_attention import PositionAttention
from kseg.layers.preprocess import BGRRescaling
from kseg.layers.recurrent import RecurrentBatchNorm
from kseg.layers.resample import (
    BilinearUpsample,
    CropLike,
    PadChannels,
    PadToMultiple,
    ResizeLike,
    SpaceToDepth,
)
from kseg.layers.standardized import StandardizedConv2D
from kseg.layers.transformer_layers import Gelu, LayerScale, MapAttention, PositionEmbedding
from kseg.layers.unpool import MaxPoolWithIndices, MaxUnpool

MAP, GATE, SMALL = (6, 8, 4), (6, 8, 1), (3, 4, 4)
# No setting is the default one.
LAYERS = [
    (AdaptiveAveragePool(3), [MAP]),
    (BGRRescaling(2.0, [-1.0, 2.0, 3.0]), [(6, 8, 3)]),
    (BilinearUpsample(3), [MAP]),
    (Blend(), [MAP, MAP, GATE]),
    (ChannelDot(), [MAP, MAP]),
    (CropLike(), [MAP, SMALL]),
    (Gelu(), [MAP]),
    (InstanceNormalization(0.3), [MAP]),
    (LayerScale(0.3), [MAP]),
    (MapAttention(2), [MAP, SMALL, SMALL]),
    (MaxPoolWithIndices(), [MAP]),
    (MaxUnpool(), [MAP, MAP]),
    (NonNegativeFactorization(3, 2, 4), [MAP]),
    (PadChannels(9), [MAP]),
    (PadToMultiple(5), [MAP]),
    (PadToMultiple(5, "reflect"), [MAP]),
    (PositionAttention(), [MAP, MAP, (6, 8, 5)]),
    (PositionEmbedding(3), [MAP]),
    (RecurrentBatchNorm(momentum=0.5, epsilon=0.1), [MAP]),
    (ResizeLike(), [SMALL, MAP]),
    (SpaceToDepth(), [MAP]),
    (StandardizedConv2D(8, 3, groups=2, use_bias=False), [MAP]),
    (layers.Conv2DTranspose(4, 4, 2, kernel_initializer=BilinearUpsampling(2)), [MAP]),
]
IDS = [type(layer).__name__ for layer, _ in LAYERS]


def test_none_is_left_out():
    modules = pkgutil.iter_modules(kseg.layers.__path__, "kseg.layers.")
    contents = [vars(importlib.import_module(module.name)).values() for module in modules]
    kinds = {one for names in contents for one in names if isinstance(one, type)}
    own = {kind for kind in kinds if issubclass(kind, layers.Layer) and "kseg" in kind.__module__}
    assert own == {type(layer) for layer, _ in LAYERS} - {layers.Conv2DTranspose}


@pytest.mark.parametrize(("layer", "shapes"), LAYERS, ids=IDS)
def test_settings_are_whole(layer, shapes):
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config


@pytest.mark.parametrize("open_size", [True, False])
@pytest.mark.parametrize(("layer", "shapes"), LAYERS, ids=IDS)
def test_a_file_gives_the_same_results_of_the_shape_that_was_told(
    layer, shapes, open_size, tmp_path
):
    layer = type(layer).from_config(layer.get_config())
    model = of_layer(layer, shapes, open_size)
    model.set_weights([np.random.default_rng(1).random(w.shape) for w in model.weights])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    rng = np.random.default_rng(0)
    maps = [rng.integers(0, 4, (2, *shape)).astype("float32") for shape in shapes]
    for one, other, told in zip(
        *(run(m, maps) for m in (model, loaded)), model.outputs, strict=True
    ):
        np.testing.assert_array_equal(other, one)
        assert one.dtype == told.dtype
        assert all(b in (None, a) for a, b in zip(one.shape, told.shape, strict=True))
        assert open_size or None not in told.shape[1:]


def of_layer(layer, shapes, open_size):
    inputs = alone([keras.Input((None, None, s[-1]) if open_size else s) for s in shapes])
    return keras.Model(inputs, layer(inputs))


def run(model, maps):
    results = model(alone(maps), training=False)
    return [ops.convert_to_numpy(x) for x in (results if len(model.outputs) > 1 else [results])]


def alone(several):
    return several if len(several) > 1 else several[0]

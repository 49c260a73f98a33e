"""ENet: A Deep Neural Network Architecture for Real-Time Semantic Segmentation.

Paszke, Chaurasia, Kim, Culurciello, 2016, arXiv 1606.02147.
"""

from __future__ import annotations

from keras import KerasTensor, layers

from kseg.layers.conv import batch_norm
from kseg.layers.head import head_transposed
from kseg.layers.resample import pad_channels, pad_to_multiple
from kseg.layers.unpool import MaxUnpool, max_pool
from kseg.models.registry import ModelSpec, register_model

_SPEC = ModelSpec(
    name="enet",
    title="ENet",
    paper="ENet: A Deep Neural Network Architecture for Real-Time Semantic Segmentation",
    year=2016,
    arxiv="1606.02147",
    parameters=371_558,
    macs=361_706_240,
    stride=8,
    family="real_time",
    founding_parameters=371_558,
    departures=(
        "nearest upsampling instead of unpooling with indices (`unpooling=True` is the paper's): "
        "the same parameters, and every deployment format can express it",
        "batch normalisation momentum 0.9 (PyTorch's 0.1), not 0.1",
    ),
)

_STAGE_TWO = ("normal", 2, "asymmetric", 4, "normal", 8, "asymmetric", 16)
_LEARNED = 13
_FILTERS = 64


@register_model(_SPEC)
def enet(
    inputs: KerasTensor, num_classes: int, *, unpooling: bool = False, dropout: float = 0.1
) -> KerasTensor:
    """Build the ENet graph.

    Args:
        inputs: Images `(N, H, W, C)`.
        num_classes: Channels of the output `(N, H, W, num_classes)`.
        unpooling: Upsample with the positions of the maxima instead of nearest neighbours.
        dropout: Spatial dropout of stage 2 and 3, 0..1; stage 1 has a tenth of it.

    Raises:
        ValueError: More image channels than stage 1 has room for.
    """
    channels = inputs.shape[-1]
    if channels + _LEARNED > _FILTERS:
        raise ValueError(
            f"enet takes images of at most {_FILTERS - _LEARNED} channels, got {channels}; use "
            "another model, such as unet, or fewer channels"
        )
    x = pad_to_multiple(inputs, 8, name="pad")
    x = _initial(x)
    # Indices go back to as many channels as they are of; that is 16 for RGB, as in the paper.
    last = x.shape[-1] if unpooling else 16
    x, first = _down(x, _FILTERS, unpooling, dropout / 10, name="stage1_0")
    for index in range(1, 5):
        x = _encode(x, "normal", dropout / 10, name=f"stage1_{index}")
    x, second = _down(x, 128, unpooling, dropout, name="stage2_0")
    for stage in (2, 3):
        for index, kind in enumerate(_STAGE_TWO, start=1):
            x = _encode(x, kind, dropout, name=f"stage{stage}_{index}")
    x = _decode(x, _FILTERS, second, up=True, name="stage4_0")
    x = _decode(x, _FILTERS, name="stage4_1")
    x = _decode(x, _FILTERS, name="stage4_2")
    x = _decode(x, last, first, up=True, name="stage5_0")
    x = _decode(x, last, name="stage5_1")
    return head_transposed(x, num_classes, like=inputs)


def _initial(x: KerasTensor) -> KerasTensor:
    """Join the learned and the pooled input channels at half size."""
    conv = layers.Conv2D(_LEARNED, 3, strides=2, padding="same", name="initial_conv")(x)
    pool = layers.MaxPooling2D(2, name="initial_pool")(x)
    return _bn_prelu(layers.Concatenate(name="initial_concat")([conv, pool]), name="initial")


def _down(
    x: KerasTensor, filters: int, with_indices: bool, dropout: float, *, name: str
) -> tuple[KerasTensor, KerasTensor | None]:
    """Halve the size with a bottleneck; also return where the maxima were, if asked to."""
    branch = _conv(x, filters // 4, 2, strides=2, use_bias=False, name=f"{name}_reduce")
    branch = _bn_prelu(branch, name=f"{name}_reduce")
    branch = _middle(branch, "normal", name=f"{name}_middle")
    main, indices = max_pool(x, with_indices, name=f"{name}_pool")
    main = pad_channels(main, filters, name=f"{name}_pad")
    return _merge(main, branch, filters, dropout, name=name), indices


def _encode(x: KerasTensor, kind: str | int, dropout: float, *, name: str) -> KerasTensor:
    """Apply an encoder bottleneck of the same size; an integer kind is a dilation rate."""
    filters = x.shape[-1]
    branch = _conv(x, filters // 4, 1, use_bias=False, name=f"{name}_reduce")
    branch = _bn_prelu(branch, name=f"{name}_reduce")
    branch = _middle(branch, kind, name=f"{name}_middle")
    return _merge(x, branch, filters, dropout, name=name)


def _middle(x: KerasTensor, kind: str | int, *, name: str) -> KerasTensor:
    filters = x.shape[-1]
    if kind == "asymmetric":
        x = _conv(x, filters, (1, 5), use_bias=False, name=f"{name}_row")
        x = _conv(x, filters, (5, 1), name=f"{name}_column")
    else:
        x = _conv(x, filters, 3, dilation_rate=1 if kind == "normal" else kind, name=name)
    return _bn_prelu(x, name=name)


def _merge(
    main: KerasTensor, branch: KerasTensor, filters: int, dropout: float, *, name: str
) -> KerasTensor:
    branch = _conv(branch, filters, 1, use_bias=False, name=f"{name}_expand")
    branch = batch_norm(branch, name=f"{name}_expand_bn")
    branch = layers.SpatialDropout2D(dropout, name=f"{name}_dropout")(branch)
    return _prelu(layers.Add(name=f"{name}_add")([main, branch]), name=f"{name}_out")


def _decode(
    x: KerasTensor,
    filters: int,
    indices: KerasTensor | None = None,
    *,
    up: bool = False,
    name: str,
) -> KerasTensor:
    """Apply a decoder bottleneck, with ReLU as in the paper; `up` doubles the size."""
    branch = _conv(x, filters // 4, 1, use_bias=False, name=f"{name}_reduce")
    branch = _bn_relu(branch, name=f"{name}_reduce")
    if up:
        branch = layers.Conv2DTranspose(
            filters // 4, 3, strides=2, padding="same", name=f"{name}_middle"
        )(branch)
        x = _upsample(x, filters, indices, name=name)
    else:
        branch = _conv(branch, filters // 4, 3, name=f"{name}_middle")
    branch = _bn_relu(branch, name=f"{name}_middle")
    branch = _conv(branch, filters, 1, use_bias=False, name=f"{name}_expand")
    branch = batch_norm(branch, name=f"{name}_expand_bn")
    x = layers.Add(name=f"{name}_add")([x, branch])
    return layers.ReLU(name=f"{name}_out_relu")(x)


def _upsample(
    x: KerasTensor, filters: int, indices: KerasTensor | None, *, name: str
) -> KerasTensor:
    x = _conv(x, filters, 1, use_bias=False, name=f"{name}_main")
    x = batch_norm(x, name=f"{name}_main_bn")
    if indices is None:
        return layers.UpSampling2D(2, name=f"{name}_main_up")(x)
    return MaxUnpool(name=f"{name}_main_unpool")([x, indices])


def _conv(x: KerasTensor, filters: int, kernel_size, *, name: str, **options) -> KerasTensor:
    return layers.Conv2D(filters, kernel_size, padding="same", name=f"{name}_conv", **options)(x)


def _prelu(x: KerasTensor, *, name: str) -> KerasTensor:
    """Apply a ReLU with one learned slope per channel, so that any image size fits."""
    return layers.PReLU(shared_axes=[1, 2], name=f"{name}_prelu")(x)


def _bn_prelu(x: KerasTensor, *, name: str) -> KerasTensor:
    return _prelu(batch_norm(x, name=f"{name}_bn"), name=name)


def _bn_relu(x: KerasTensor, *, name: str) -> KerasTensor:
    return layers.ReLU(name=f"{name}_relu")(batch_norm(x, name=f"{name}_bn"))

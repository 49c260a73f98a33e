"""The backbones of `keras.applications`."""

from __future__ import annotations

from functools import partial

import keras

from kseg.encoders.registry import EncoderSpec, register_encoder

_WITH_PREPROCESSING = ("EfficientNetV2", "MobileNetV3", "ConvNeXt")

# Keras' function names; the convention of the images; patterns for taps and for the deepest layer.
_FAMILIES = (
    (("VGG16", "VGG19"), "caffe", r"block\d_conv\d", None),
    (("ResNet50", "ResNet101", "ResNet152"), "caffe", r"conv1_relu|conv\d_block\d+_out", None),
    (
        ("ResNet50V2", "ResNet101V2", "ResNet152V2"),
        "tf",
        r"conv1_conv|conv\d_block\d+_preact_relu",
        None,
    ),
    (("MobileNet",), "tf", r"conv_pw_\d+_relu", None),
    (
        ("MobileNetV2",),
        "tf",
        r"(expanded_conv|block_\d+)_(project_BN|add)",
        r"block_16_project_BN",
    ),
    (
        ("MobileNetV3Small", "MobileNetV3Large"),
        "tf",
        r"expanded_conv(_\d+)?_(project_bn|add)",
        None,
    ),
    (
        tuple(f"EfficientNetB{size}" for size in range(8)),
        "torch",
        r"block\d[a-z]+_(project_bn|add)",
        r"block7[a-z]+_(project_bn|add)",
    ),
    (
        tuple(f"EfficientNetV2B{size}" for size in range(4)),
        "torch",
        r"block\d[a-z]+_(project_bn|project_activation|add)",
        r"block\d[a-z]+_(project_bn|add)",
    ),
    (
        ("EfficientNetV2S", "EfficientNetV2M", "EfficientNetV2L"),
        "tf128",
        r"block\d[a-z]+_(project_bn|project_activation|add)",
        r"block\d[a-z]+_(project_bn|add)",
    ),
    (("DenseNet121", "DenseNet169", "DenseNet201"), "torch", r"conv1_relu|pool\d_relu", None),
    (("Xception",), "tf", r"block\d+_sepconv\d_bn", None),
    (("InceptionV3",), "tf", r"mixed\d+", None),
    (("InceptionResNetV2",), "tf", None, None),
    (
        tuple(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")),
        "torch",
        None,
        None,
    ),
    (
        ("NASNetMobile", "NASNetLarge"),
        "tf",
        r"stem_bn1|reduction_concat_stem_1|normal_concat_\d+",
        None,
    ),
)


def _build(function: str, input_shape: tuple[int, int, int], weights: str | None) -> keras.Model:
    options = {"include_preprocessing": False} if function.startswith(_WITH_PREPROCESSING) else {}
    return getattr(keras.applications, function)(
        include_top=False, weights=weights, input_shape=input_shape, **options
    )


for _functions, _convention, _taps, _last in _FAMILIES:
    for _function in _functions:
        register_encoder(
            EncoderSpec(
                name=_function.lower(),
                build=partial(_build, _function),
                convention=_convention,
                taps=_taps,
                last=_last,
                # Its own normalisation gives way to the one of `image_init`, like all others'.
                first="stem_conv_pad" if _function.startswith("EfficientNetB") else None,
            )
        )

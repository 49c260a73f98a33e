"""Checks of the options of a model, each with one clear sentence."""

from __future__ import annotations

from collections.abc import Sequence

from kseg.encoders import Encoder
from kseg.layers.decoder import DECODER_FILTERS


def check_at_least(model: str, **options: tuple[float, float]) -> None:
    """Refuse an option, given as `name=(value, smallest)`, below its smallest value.

    Raises:
        ValueError: A value is too small.
    """
    for option, (value, smallest) in options.items():
        if value < smallest:
            raise ValueError(f"{model} needs {option} >= {smallest}, got {value}")


def check_choice(model: str, option: str, value: object, choices: Sequence[object]) -> None:
    """Refuse a value that is not among the choices.

    Raises:
        ValueError: The value is none of them.
    """
    if value not in choices:
        known = ", ".join(map(repr, choices))
        raise ValueError(f"{model} needs {option} to be one of {known}; got {value!r}")


def decoder_widths(
    model: str,
    encoder: Encoder | None,
    decoder_filters: Sequence[int] | None,
    **own: tuple[object, object],
) -> list[int]:
    """Return the widths of a decoder over `encoder`, finest first; none without an encoder.

    Args:
        model: Name of the model, for messages.
        encoder: What the model is built on, None for its own encoder.
        decoder_filters: Widths from the coarsest to full size; None for the usual ones.
        **own: Options that only the model's own encoder has, as `name=(value, default)`.

    Raises:
        ValueError: An option that does not belong to the encoder, or widths that do not fit it.
    """
    if encoder is None:
        if decoder_filters is not None:
            raise ValueError(f"{model} takes decoder_filters only together with an encoder")
        return []
    for option, (value, default) in own.items():
        if value != default:
            raise ValueError(
                f"{model} over an encoder has no {option}={value!r}; its widths are decoder_filters"
            )
    widths = list(DECODER_FILTERS if decoder_filters is None else decoder_filters)
    # VGG's features at stride 32 are only pooled, so a decoder may start at 16; elsewhere the
    # weights of the last stage would be left without use.
    lengths = (4, 5) if encoder.name.lower().startswith("vgg") else (5,)
    if len(widths) not in lengths or min(widths) < 1:
        raise ValueError(
            f"{model} over {encoder.name} needs decoder_filters to be "
            f"{' or '.join(map(str, lengths))} positive numbers, got {decoder_filters!r}"
        )
    return widths[::-1]

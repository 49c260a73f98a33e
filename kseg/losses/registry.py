"""Find a loss by name and build it from options."""

import difflib
import inspect

_LOSSES = {}


def register(name, *parts):
    """Put a loss class or a function that builds a loss under `name`.

    Args:
        name: The name that `get_loss` looks up.
        *parts: Loss classes whose options the function takes beside its own.

    Returns:
        A decorator that returns its argument unchanged.

    Raises:
        ValueError: If `name` is taken.
    """

    def decorate(builder):
        if name in _LOSSES:
            raise ValueError(f"Loss {name!r} is registered twice.")
        _LOSSES[name] = builder, parts
        return builder

    return decorate


def list_losses():
    """Return the names that `get_loss` knows, sorted."""
    return sorted(_LOSSES)


def get_loss(name, **options):
    """Build the loss called `name`.

    Args:
        name: One of `list_losses()`.
        **options: The loss' own options, such as `ignore_class=255`.

    Returns:
        A `keras.losses.Loss`.

    Raises:
        ValueError: If the loss or an option is unknown, or an option has a bad value.
    """
    known = known_options(name)
    for option in options:
        if option not in known:
            raise ValueError(_unknown(f"option of loss {name!r}:", option, known))
    return _LOSSES[name][0](**options)


def known_options(name):
    """Return the set of options that `get_loss` takes for a loss.

    Raises:
        ValueError: If the loss is unknown.
    """
    if name not in _LOSSES:
        raise ValueError(_unknown("loss", name, _LOSSES))
    builder, parts = _LOSSES[name]
    return option_names(builder).union(*map(option_names, parts)) - {"name"}


def option_names(builder):
    """Return the keyword options of a builder; a class passes `**options` on to its bases."""
    makers = [base.__init__ for base in getattr(builder, "__mro__", ()) if "__init__" in vars(base)]
    parameters = [inspect.signature(maker).parameters for maker in makers or [builder]]
    return {name for found in parameters for name, p in found.items() if p.kind == p.KEYWORD_ONLY}


def _unknown(kind, name, known):
    close = difflib.get_close_matches(str(name), list(known), n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"choose from {', '.join(sorted(known))}."
    return f"Unknown {kind} {name!r}; {hint}"

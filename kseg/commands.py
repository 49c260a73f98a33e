"""Commands that only print or write something simple."""

from __future__ import annotations

from kseg.config import ModelsConfig, PartsConfig


def make_parts(config: PartsConfig) -> None:
    """Write the data set `parts` that the config describes and print where it is."""
    from kseg.data.parts import write_parts

    folder = write_parts(
        config.output,
        size=(config.height, config.width),
        multiclass=config.multiclass,
        train=config.train,
        val=config.val,
        test=config.test,
        seed=config.seed,
        clutter=config.clutter,
        magnification=config.magnification,
    )
    print(f"wrote {config.train} + {config.val} + {config.test} images to {folder}")


def print_models(config: ModelsConfig) -> None:
    """Print the registered models as a table or as JSON."""
    import json

    from rich.console import Console

    from kseg.encoders import list_encoders
    from kseg.models.table import model_rows, rich_table

    if config.json:
        print(json.dumps(model_rows(), indent=2))
    else:
        console = Console()
        console.print(rich_table(model_rows()))
        console.print(f"Encoders: {', '.join(list_encoders())}")

"""Commands that only print or write something simple."""

from __future__ import annotations

import sys
from pathlib import Path

from kseg.config import (
    AugmentationConfig,
    CheckConfig,
    DownloadConfig,
    LabelmeConfig,
    ModelsConfig,
    OnnxConfig,
    PartsConfig,
    PredictConfig,
    VocAnnotationConfig,
)


def predict(config: PredictConfig) -> None:
    """Segment what the config says, or export the model.

    Raises:
        ValueError: See `kseg.inference.predict` and `kseg.export`; or several models are to be
            exported at once.
    """
    if config.mode == "export":
        from kseg.export import export

        if len(config.models) != 1:
            raise ValueError("--mode export takes one --model")
        export(OnnxConfig(model=config.models[0]))
        return
    from kseg.inference.predict import predict as segment

    segment(config)


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


def download_data(config: DownloadConfig) -> None:
    """Fetch a data set as the config describes and print how to train with it."""
    from kseg.data.download import Limits, Options, fetch_dataset, next_steps, plan, source_of

    source, root = source_of(config.dataset_name, config.url, config.sha256), Path(config.data_root)
    if config.dry_run:
        print("\n".join(plan(source, root)))
        return
    size = None if config.max_gb is None else int(config.max_gb * 1e9)
    options = Options(
        overwrite=config.overwrite, keep_archives=config.keep_archives, limits=Limits(size)
    )
    print("\n".join(next_steps(fetch_dataset(source, root, options), root)))


def check_data(config: CheckConfig) -> None:
    """Check a data set, print and write what was found, and exit with 1 if there are errors."""
    from rich.console import Console

    from kseg.data.checks import CheckOptions, check_and_fix

    folder = Path(config.folder)
    report = check_and_fix(
        folder,
        output=Path(config.output or Path("data/check") / folder.absolute().name),
        fix=Path(config.fix) if config.fix else None,
        pictures=config.pictures,
        options=CheckOptions(
            name=config.dataset_name,
            num_classes=config.n_classes,
            ignore_class=config.ignore_class,
            near=config.near_duplicates,
            workers=config.workers,
        ),
        console=Console(),
    )
    if report.errors:
        sys.exit(1)


def json_to_dataset(config: LabelmeConfig) -> None:
    """Convert a folder of labelme files as the config describes and print its classes."""
    from kseg.data.labelme import Split, convert_folder

    result = convert_folder(
        Path(config.json_dir),
        Path(config.output),
        config.layout,
        labels=Path(config.labels) if config.labels else None,
        images=Path(config.images) if config.images else None,
        split=Split(config.val_ratio, config.test_ratio, config.seed),
        ignore_class=config.ignore_class,
        copy_images=config.copy_images,
        overwrite=config.overwrite,
    )
    print("\n".join(result.lines(config.ignore_class)))
    print(f"wrote {config.output}")


def write_augmented(config: AugmentationConfig) -> None:
    """Write augmented copies of a folder as the config describes and print where they are."""
    from kseg.data.augment.offline import Folders, augment_folders

    target = Folders(Path(config.augtrain_path), Path(config.augtrain_mask))
    count = augment_folders(
        Folders(Path(config.train_path), Path(config.mask_path)),
        target,
        number=config.number,
        seed=config.seed,
        operations=config.operations,
        ignore_class=config.ignore_class,
        image_format=config.image_format,
        overwrite=config.overwrite,
    )
    print(f"wrote {count} images to {target.images} and their label maps to {target.masks}")


def voc_annotation(config: VocAnnotationConfig) -> None:
    """Write the lists of a folder in VOC's layout and print what its label maps hold."""
    from rich.console import Console

    from kseg.data.class_table import find_class_table
    from kseg.data.voc import find_voc
    from kseg.data.voc_lists import (
        labelled_files,
        split_ids,
        survey_masks,
        survey_table,
        write_lists,
    )

    folder = find_voc(Path(config.VOCdevkit_path))
    table, masks = find_class_table(folder), labelled_files(folder)
    parts = split_ids(list(masks), config.trainval_percent, config.train_percent, config.seed)
    target = write_lists(folder, parts, overwrite=config.overwrite)
    print(f"wrote {', '.join(f'{k}.txt ({len(v)})' for k, v in parts.items())} to {target}")
    survey = survey_masks(list(masks.values()), table.colours if table else None)
    console = Console()
    console.print(survey_table(survey, table.names if table else ()))
    for sentence in survey.warnings:
        print(f"warning: {sentence}")


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

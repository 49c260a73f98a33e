"""`kseg predict`: what a model says about images, folders, videos and cameras."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from kseg.config import PredictConfig
from kseg.inference.engines.savedmodel import is_saved_model
from kseg.inference.film import FilmOptions, segment_film
from kseg.inference.outputs import Look, make_writers
from kseg.inference.pipeline import Pipeline, Row
from kseg.inference.postprocess import PostProcess
from kseg.inference.predictor import Predictor
from kseg.inference.ray_cluster import share_devices
from kseg.inference.ray_engine import run_files
from kseg.inference.sources import Film, Item, check_targets, find_inputs, name_items
from kseg.inference.speed import measure_speed
from kseg.runs import find_checkpoint

USUAL_KINDS, USUAL_FILM_KINDS = ("label", "overlay"), ("overlay",)
_NAMED = 5


def predict(config: PredictConfig) -> list[Path]:
    """Segment the input and return the files written.

    A file that cannot be read is reported and left out; the others are done.

    Raises:
        ValueError: No model, no input, or at the end, if some files could not be read.
    """
    for model in config.models:
        if not Path(model).is_file() and not is_saved_model(Path(model)):
            find_checkpoint(model)
    inputs = find_inputs(config.input, recursive=config.recursive, leave_out=Path(config.output))
    _check_mode(config, inputs)
    with warnings.catch_warnings():
        # Large images are wanted here, and too large ones an error of ours.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        if isinstance(inputs, Film):
            return _predict_film(config, inputs)
        if config.mode == "fps":
            return _print_speed(config, inputs)
        return _predict_images(config, inputs)


def _check_mode(config: PredictConfig, inputs: list[Item] | Film) -> None:
    is_film = isinstance(inputs, Film)
    if config.mode == "video" and not is_film:
        raise ValueError(f"--mode video needs a video or a camera, {config.input} is none")
    if config.mode in ("fps", "heatmap") and is_film:
        raise ValueError(f"--mode {config.mode} needs images, {config.input} is a film")
    if config.mode == "dir_predict" and not Path(config.input).is_dir():
        raise ValueError(f"--mode dir_predict needs a folder, {config.input} is none")
    if config.engine == "ray" and (is_film or config.mode == "fps"):
        raise ValueError("--engine ray is for images; leave it out")


def load_pipeline(config: PredictConfig, kinds: Sequence[str], batch_size: int) -> Pipeline:
    """Load the models and prepare the writers that a config asks for.

    Raises:
        ValueError: There is no such model or class, or a flag does not fit the model.
    """
    predictor = Predictor.load(
        config.models, fit=config.fit, tta=config.tta, tile=config.tile, overlap=config.overlap
    )
    look = Look(Path(config.output), predictor.info.class_names, config.blend)
    post = PostProcess(
        fill_holes=config.fill_holes,
        opening=config.opening,
        min_size=config.min_size,
        largest=config.largest,
        split_touching=config.split_touching,
    )
    post.check(look.background)
    writers = make_writers(kinds, look, config.heat_class)
    return Pipeline(predictor, look, writers, post, batch_size, config.strips_above * 1e6)


def _predict_images(config: PredictConfig, items: Sequence[Item]) -> list[Path]:
    kinds = config.kinds or USUAL_KINDS
    size = min(config.batch_size, len(items))
    if config.engine == "ray":
        share_devices()
    pipeline = load_pipeline(config, kinds, size)
    _check_targets(pipeline, items)
    if config.engine == "local":
        return _report(pipeline, pipeline.rows(items), len(items))
    rows = run_files(
        items,
        partial(_load_worker, config, kinds, size),
        engine=config.engine,
        workers=config.workers,
        batch_size=size,
        address=config.ray_address,
    )
    return _report(pipeline, rows, len(items))


def _load_worker(
    config: PredictConfig, kinds: Sequence[str], batch_size: int
) -> Callable[[Sequence[Item]], list[Row]]:
    return load_pipeline(config, kinds, batch_size).batch_rows


def predict_files(
    predictor: Predictor, files: Sequence[Path], output: Path, batch_size: int
) -> list[Path]:
    """Segment files of one folder, print how many, and return the label maps and overlays.

    Raises:
        ValueError: At the end, if some files could not be read.
    """
    look = Look(output, predictor.info.class_names)
    items = name_items(files, files[0].parent)
    writers = make_writers(USUAL_KINDS, look)
    pipeline = Pipeline(predictor, look, writers, batch_size=min(batch_size, len(items)))
    _check_targets(pipeline, items)
    return _report(pipeline, pipeline.rows(items), len(items))


def _check_targets(pipeline: Pipeline, items: Sequence[Item]) -> None:
    """Refuse results that would take the place of an input or of another result."""
    writers = list(pipeline.writers.values())
    final = {Path(): [path for writer in writers for path in writer.final]}
    check_targets(
        [item.path for item in items],
        [*final, *(item.name for item in items)],
        lambda name: (
            final.get(name) or [path for writer in writers for path in writer.targets(name)]
        ),
    )


def _report(pipeline: Pipeline, rows: Iterable[Row], count: int) -> list[Path]:
    """Show the progress, tell how many images were segmented, and return what was written.

    Raises:
        ValueError: Some could not be; the message names them.
    """
    failed, named, written = 0, [], []
    with pipeline.records() as records:
        for row in tqdm(rows, "segmenting", total=count, unit="image", disable=count < 2):
            written += row.get("written", ())
            if row["error"]:
                failed += 1
                named += [row] if failed <= _NAMED else []
                tqdm.write(f"left out: {row['error']}", file=sys.stderr)
                continue
            records.put(row["file"].name, row["records"])
            if row["note"]:
                tqdm.write(f"note: {row['note']}", file=sys.stderr)
        written += pipeline.finish(records) if failed < count else []
    done = count - failed
    images = "1 image" if done == 1 else f"{done} images"
    print(f"{images} segmented, results in {pipeline.look.folder}")
    if failed:
        raise ValueError(
            f"{failed} of {count} files could not be read or segmented: {_names(named, failed)}"
        )
    return written


def _names(named: Sequence[Row], failed: int) -> str:
    """Return the error of a single file, or the names of several."""
    if failed == 1:
        return named[0]["error"]
    more = f" and {failed - len(named)} more" if failed > len(named) else ""
    return ", ".join(str(row["file"]) for row in named) + more


def _predict_film(config: PredictConfig, film: Film) -> list[Path]:
    kinds = config.kinds or USUAL_FILM_KINDS
    options = FilmOptions(kinds, config.video_fps, config.frames)
    pipeline = load_pipeline(config, (), config.batch_size)
    written = segment_film(pipeline, film, options)
    print(f"{film} segmented, results in {config.output}")
    return written


def _print_speed(config: PredictConfig, items: Sequence[Item]) -> list[Path]:
    from kseg.data.io import read_image

    predictor = load_pipeline(config, (), config.batch_size).predictor
    image = read_image(items[0].path, predictor.channels)
    speed = measure_speed(predictor, image, config.test_interval, config.batch_size)
    size = f"{image.shape[1]}x{image.shape[0]}"
    print(f"{predictor.info.model_name} on {items[0]} ({size})", *speed.lines(), sep="\n")
    return []

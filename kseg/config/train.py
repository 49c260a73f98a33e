"""Settings of `kseg train`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

from kseg.config.checks import require_at_least, require_at_most, require_plain_name
from kseg.config.crops import check_crops
from kseg.config.devices import check_devices
from kseg.config.folds import check_folds
from kseg.config.loss_settings import check_loss_settings
from kseg.config.parse import UsageError
from kseg.config.resume import resumed_arguments

ImageInit = Literal["auto", "divide", "sub_mean", "sub_and_divide", "caffe", "tf", "torch", "tf128"]
Schedule = Literal["constant", "step", "cosine", "polynomial", "one_cycle", "plateau"]
ClassWeights = Literal["none", "balanced", "median_frequency", "enet", "effective_number"]


@dataclass
class TrainConfig:
    """Train a segmentation model; everything it writes goes to one run folder.

    The run folder is TRAIN_SAVE_PATH/EXP_NAME/MODEL_NAME, for example weights/exp1/unet.

    Args:
        exp_name: Name of the experiment.
        model_name: Name of the model, see `kseg models`.
        model_options: Keyword options of the model, for example
            `--model_options '{"filters": 64}'` for a wider U-Net.
        encoder: Backbone for models that take one, see `kseg models`; by default the model's own.
        encoder_weights: "imagenet" (Keras downloads them), or the path of a weights file of the
            backbone; by default random.
        dataset_name: "parts" (drawn on first use), "parts_multiclass", "camvid", "voc2012",
            "drive", "isbi", "coco" and others, or a folder DATA_ROOT/DATASET_NAME in any layout
            of docs/data.md, such as train_image, train_label, test_image and test_label.
        data_root: Folder that holds the data sets, or the data set itself.
        n_classes: Number of classes, background included; by default the data set's own, 2 for
            plain folders.
        ignore_class: Label that counts in no loss and no metric, by default the data set's own.
        image_channels: Channels that images are read with: 1 for grey, 3 for RGB, 4, or the number
            of bands of a TIFF or NumPy file; by default the data set's own, mostly 3.
        input_height: Height in pixels that images are resized to for training.
        input_width: Width in pixels that images are resized to for training.
        resize_op: 1 stretches images to the input size, 2 keeps their shape and adds a border
            (letterbox) that counts in no loss and no metric.
        crop_height: Height in pixels of random windows of the resized images to train on;
            validation and test show whole images. By default training shows whole images too.
        crop_width: Width in pixels of these windows.
        crops_per_image: Windows of each training image in an epoch.
        crop_foreground: Share of these windows, from 0 to 1, around a pixel of a class other than
            the first, for small and rare objects; each class of an image is as likely.
        val_crops: Validate on such windows side by side, and score the test images in tiles of that
            size: for images of the input size that are too large for the memory of a network.
        image_init: Normalisation inside the model: "auto" is what the encoder was trained with and
            "divide" without an encoder; "divide" (0..1), "sub_and_divide" or "tf" (-1..1),
            "sub_mean" (minus the ImageNet mean), "caffe" (the same, channels reversed), "torch"
            (ImageNet mean 0 and deviation 1), "tf128" (divided by 128, minus 1).
        augment: Random changes of the training images: "none", "hflip" (left to right), "flips"
            (upside down too), "turns" (quarter turns of square inputs too), "light", "medium",
            "strong", "medical", or the path of a .yaml file; docs/augmentation.md explains them.
        cache: Keep decoded and resized images: "ram", "none", or "disk" (for images that are slow
            to decode and do not fit into memory).
        cache_gb: Most that the cache may take, in GB; images beyond are decoded each time.
        loss: Name of the loss: ce, weighted_ce, c_focal, dice, ce_dice, tversky, ...;
            docs/losses.md explains all of them.
        loss_options: Keyword options of the loss, for example
            `--loss c_focal --loss_options '{"gamma": 1.5}'`.
        aux_weight: Weight of the loss of each auxiliary head, for models with
            `--model_options '{"aux_heads": true}'` or `deep_supervision`.
        class_weights: Weights of the classes in the loss: "none", a number per class such as
            `--class_weights '[1, 5]'`, or computed from the training images: "balanced",
            "median_frequency", "enet" or "effective_number".
        optimizer_name: adam, adamw, sgd (with momentum 0.9), adadelta, rmsprop, lion, ...
        learning_rate: Highest learning rate (`--lr` too): a number, by default one that suits the
            optimizer, or "auto", which scales one by the batch size.
        lr_schedule: How the learning rate changes over the run: "constant", "step", "cosine" (with
            warm-up), "polynomial", "one_cycle", or "plateau" (lower when the monitored score
            stops rising); docs/training_rates.md explains them.
        lr_options: Keyword options of the schedule, for example
            `--lr_schedule polynomial --lr_options '{"power": 2}'`.
        weight_decay: Weight decay of convolution kernels, by default the optimizer's own.
        clip_norm: Gradients together longer than this are shortened to it.
        accumulate: Steps whose gradients are averaged before the weights change: batches of a
            size that does not fit into memory.
        ema: Momentum of a running mean of the weights, such as 0.999, which is then validated and
            kept as the best checkpoint; 0 keeps none.
        precision: "float32", "mixed_bfloat16" or "mixed_float16": what layers calculate in.
        epochs: Number of passes over the training images.
        train_batch_size: Images per training step.
        val_batch_size: Images per validation step.
        freeze_epochs: Epochs at the beginning in which the encoder does not change; its
            BatchNormalization keeps its statistics.
        unfreeze_epochs: Epochs after these, instead of `epochs` in all.
        freeze_batch_size: Batch size of the frozen epochs, by default `train_batch_size`.
        freeze_learning_rate: Learning rate of the frozen epochs, by default `learning_rate`.
        validate: Measure on the validation images after each epoch.
        monitor: Score or loss that decides which epoch is best, such as "val_dice_score"; by
            default "val_iou_score", and "iou_score" without validation.
        early_stopping: Stop after this many epochs in which the monitored score did not get
            better; 0 never does.
        auto: Train nothing: look at the data set, propose settings for it and write them, with
            reasons, to TRAIN_SAVE_PATH/EXP_NAME/auto.yaml for `--config`.
        auto_minutes: Time that the proposed run may take.
        auto_memory_gb: Memory that the proposed run may take, by default that of this machine.
        lr_find: Train nothing: try rising learning rates and write a curve of the loss and a
            suggestion to the run folder.
        profile: Trace a few training steps for TensorBoard's profiler (TensorFlow, JAX).
        folds: Cross-validation in this many runs, at least 3. Training and validation images are
            dealt to as many parts; each is held out once to be scored, while another chooses the
            checkpoint. 0 does none.
        fold: Train only this one of the folds, from 0.
        seeds: Number of runs that differ in their seed alone: `seed`, `seed` + 1, ...
        seed: Seed of the initial weights, the order of images and the augmentation.
        workers: Threads that read and augment images ahead; with 0 or 1 it is done between the
            steps.
        jit: Compile the training step with XLA: "auto" does where it is faster.
        devices: Split each batch over this many devices (GPUs) of this machine, or "all" (JAX
            backend); docs/training_devices.md says more about this and the next four.
        multi_gpus: Another way to write `--devices all`.
        num_processes: Processes, on one machine or many, that each batch is split over; by default
            what torchrun's or Slurm's environment variables say, else 1.
        process_id: Number of this process, from 0.
        coordinator: HOST:PORT of process 0, where it and the next port must be free.
        train_save_path: Folder that holds the experiments.
        resume: Continue a run: "last" for the run folder of these settings, or the path of a run
            folder or of a checkpoint.
        overwrite: Delete an earlier run of the same experiment and model.
    """

    aliases: ClassVar[dict[str, str]] = {"lr": "learning_rate"}
    command: ClassVar[str] = "train"

    exp_name: str = "exp1"
    model_name: str = "unet"
    model_options: dict[str, Any] = field(default_factory=dict)
    encoder: str | None = None
    encoder_weights: str | None = None
    dataset_name: str = "parts"
    data_root: str = "data"
    n_classes: int | None = None
    ignore_class: int | None = None
    image_channels: int | None = None
    input_height: int = 224
    input_width: int = 224
    resize_op: Literal[1, 2] = 1
    crop_height: int | None = None
    crop_width: int | None = None
    crops_per_image: int = 1
    crop_foreground: float = 0.0
    val_crops: bool = False
    image_init: ImageInit = "auto"
    augment: str = "hflip"
    cache: Literal["none", "ram", "disk"] = "ram"
    cache_gb: float = 1.0
    loss: str = "ce"
    loss_options: dict[str, Any] = field(default_factory=dict)
    aux_weight: float = 0.4
    class_weights: list[float] | ClassWeights = "none"
    optimizer_name: str = "adam"
    learning_rate: float | Literal["auto"] | None = None
    lr_schedule: Schedule = "cosine"
    lr_options: dict[str, Any] = field(default_factory=dict)
    weight_decay: float | None = None
    clip_norm: float | None = None
    accumulate: int = 1
    ema: float = 0.0
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    epochs: int = 50
    train_batch_size: int = 4
    val_batch_size: int = 4
    freeze_epochs: int = 0
    unfreeze_epochs: int | None = None
    freeze_batch_size: int | None = None
    freeze_learning_rate: float | Literal["auto"] | None = None
    validate: bool = True
    monitor: str = ""
    early_stopping: int = 0
    auto: bool = False
    auto_minutes: float | None = None
    auto_memory_gb: float | None = None
    lr_find: bool = False
    profile: bool = False
    folds: int = 0
    fold: int | None = None
    seeds: int = 1
    seed: int = 0
    workers: int = 2
    jit: Literal["auto", "on", "off"] = "auto"
    devices: int | Literal["all"] = 1
    multi_gpus: bool = False
    num_processes: int | None = None
    process_id: int | None = None
    coordinator: str | None = None
    train_save_path: str = "weights"
    resume: str = ""
    overwrite: bool = False

    def __post_init__(self) -> None:
        """Check the ranges."""
        require_at_least(
            self,
            1,
            "n_classes",
            "image_channels",
            "epochs",
            "train_batch_size",
            "val_batch_size",
            "crops_per_image",
            "accumulate",
            "seeds",
            "unfreeze_epochs",
            "freeze_batch_size",
        )
        require_at_least(self, 32, "input_height", "input_width", "crop_height", "crop_width")
        check_crops(self)
        require_at_most(self, 0.99999, "ema")
        require_at_most(self, 1, "crop_foreground")
        self._check_rates()
        self._check_epochs()
        check_folds(self)
        require_at_least(
            self,
            0,
            "early_stopping",
            "seed",
            "workers",
            "ignore_class",
            "cache_gb",
            "freeze_epochs",
            "weight_decay",
            "clip_norm",
            "ema",
            "crop_foreground",
            "aux_weight",
            "auto_minutes",
            "auto_memory_gb",
        )
        require_at_most(self, 255, "ignore_class", "n_classes")
        require_plain_name(self, "exp_name", "model_name", "dataset_name")
        check_loss_settings(self)
        check_devices(self)

    @property
    def crop(self) -> tuple[int, int] | None:
        """Height and width of the windows to train on; None for whole images."""
        if self.crop_height is None or self.crop_width is None:
            return None
        return self.crop_height, self.crop_width

    @property
    def tile(self) -> int | None:
        """Side of the tiles in which test images are scored; None for whole images."""
        return max(self.crop) if self.val_crops and self.crop else None

    def _check_rates(self) -> None:
        for name in ("learning_rate", "freeze_learning_rate"):
            if getattr(self, name) != "auto":
                require_at_least(self, 0, name)

    def _check_epochs(self) -> None:
        if self.unfreeze_epochs is None and self.freeze_epochs > self.epochs:
            raise UsageError(
                f"--freeze_epochs {self.freeze_epochs} are more than --epochs {self.epochs}; say "
                "with --unfreeze_epochs how many follow"
            )

    @property
    def total_epochs(self) -> int:
        """Epochs of the whole run."""
        if self.unfreeze_epochs is None:
            return self.epochs
        return self.freeze_epochs + self.unfreeze_epochs

    @property
    def run_path(self) -> Path:
        """The run folder: where `resume` points, or TRAIN_SAVE_PATH/EXP_NAME/MODEL_NAME."""
        if self.resume in ("", "last"):
            return Path(self.train_save_path) / self.exp_name / self.model_name
        path = Path(self.resume)
        return path.parent if path.suffix == ".keras" else path

    def base_arguments(self) -> list[str]:
        """Return flags that come before those given: the settings of the run resumed."""
        return resumed_arguments(self)

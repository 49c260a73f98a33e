"""A training of the documentation without its network, for tests of every day."""

from kseg.config import TrainConfig, parse_config
from kseg.runs import RunFolder
from kseg.training.augmentation import run_recipe
from kseg.training.inputs import Inputs, checked_dataset
from kseg.training.loss import check_loss, training_loss
from kseg.training.monitor import monitored
from kseg.training.phases import plan_phases

# Flags that make any run small.
SMALL = ["--epochs=1", "--input_height=32", "--input_width=32", "--workers=1", "--overwrite"]


def read_first_batches(flags):
    """Do all of a training but the network: it is the same for all data sets."""
    config = parse_config(TrainConfig, [*flags, *SMALL])
    check_loss(config)
    monitored(config)
    dataset, counts = checked_dataset(config)
    loss = training_loss(config, dataset, counts)
    inputs = Inputs(config, dataset, loss, run_recipe(config, RunFolder(config.run_path)))
    loaders = [inputs.training(phase.batch_size) for phase in plan_phases(config)]
    for loader in [*loaders, inputs.validation()]:
        images, labels, *_ = loader[0]
        assert images.shape[1:] == (32, 32, config.image_channels or dataset.channels)
        assert labels.shape == images.shape[:3]

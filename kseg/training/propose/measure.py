"""How fast this machine trains a proposed network."""

from __future__ import annotations

import statistics
import time

import numpy as np

from kseg.inference.jit import jit_choice
from kseg.kernels import use_own_kernels, use_own_update
from kseg.losses import get_loss
from kseg.models import get_model
from kseg.models.factory import without_aux_heads
from kseg.training.propose.cost import FORWARD_AND_BACKWARD
from kseg.training.propose.proposal import Proposal

_STEPS = 3


def measure_rate(proposal: Proposal) -> float:
    """Return the multiply-adds per second of training steps on random images.

    The model, the sizes and the loss are those of the proposal; one step that also compiles comes
    before the three that count.
    """
    config, facts, fit = proposal.config(), proposal.facts, proposal.plan.fit
    model = get_model(
        config.model_name,
        facts.num_classes,
        (None, None, facts.channels),
        encoder=fit.network.encoder,
        image_init="divide",
        **config.model_options,
    )
    model = without_aux_heads(model)
    loss = get_loss(config.loss, **config.loss_options)
    jit = jit_choice(config.jit)
    use_own_kernels(model, jit)
    model.compile("adam", loss, jit_compile=jit)
    model.optimizer.build(model.trainable_variables)  # See `compile_for`.
    use_own_update(model.optimizer, jit)
    images, labels = _random_batch(proposal)
    weights = np.ones(labels.shape, "float32") if getattr(loss, "pixel_weights", None) else None
    seconds = []
    for _ in range(1 + _STEPS):
        start = time.perf_counter()
        model.train_on_batch(images, labels, sample_weight=weights)
        seconds.append(time.perf_counter() - start)
    work = FORWARD_AND_BACKWARD * fit.batch * fit.cost.macs
    return work / statistics.median(seconds[1:])


def _random_batch(proposal: Proposal) -> tuple[np.ndarray, np.ndarray]:
    facts, fit = proposal.facts, proposal.plan.fit
    rng = np.random.default_rng(0)
    shape = (fit.batch, *fit.size)
    images = rng.integers(0, 256, (*shape, facts.channels), "uint8")
    return images, rng.integers(0, facts.num_classes, shape, "uint8")

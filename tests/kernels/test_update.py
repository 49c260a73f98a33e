"""Updates of weights by one kernel each, beside those of Keras."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from kseg.kernels import use_own_update
from kseg.training.optimizers import exclude_from_decay, make_optimizer

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="kernels of TensorFlow"
)

OPTIMIZERS = {
    "adam": lambda: make_optimizer("adam", 0.01),
    "adam, own settings": lambda: keras.optimizers.Adam(0.02, 0.7, 0.9, 1e-3),
    "adam, clipped": lambda: make_optimizer("adam", 0.01, clip_norm=0.5),
    "adamw": lambda: make_optimizer("adamw", 0.01, weight_decay=0.1),
    "adamw, mean of two": lambda: make_optimizer("adamw", 0.01, accumulate=2),
    "adamw, averaged": lambda: make_optimizer("adamw", 0.01, ema=0.9),
    "adam, schedule": lambda: make_optimizer(
        "adam", keras.optimizers.schedules.CosineDecay(0.02, 6)
    ),
    "sgd": lambda: make_optimizer("sgd", 0.05),
    "sgd, no nesterov": lambda: keras.optimizers.SGD(0.05, 0.8),
    "sgd, decay": lambda: make_optimizer("sgd", 0.05, weight_decay=0.1),
    "adamw, decay by a schedule, averaged": lambda: make_optimizer(
        "adamw",
        keras.optimizers.schedules.CosineDecay(0.02, 6),
        weight_decay=0.1,
        accumulate=2,
        ema=0.8,
    ),
    "rmsprop, decay, averaged": lambda: make_optimizer("rmsprop", 0.01, weight_decay=0.1, ema=0.9),
    "muon, decay of its own, averaged": lambda: keras.optimizers.Muon(
        0.01, weight_decay=0.1, adam_weight_decay=0.4, use_ema=True, ema_momentum=0.9
    ),
    "float16, averaged": lambda: keras.optimizers.LossScaleOptimizer(
        make_optimizer("adam", 0.01, ema=0.9)
    ),
    "float16": lambda: keras.optimizers.LossScaleOptimizer(make_optimizer("adam", 0.01)),
}


def trained(make, own, steps=6, frozen=False):
    """Return a model after some steps, compiled with an optimizer and its own or Keras' update."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(3, 3), layers.ReLU(), layers.Conv2D(2, 1)]
    )
    model.layers[0].trainable = not frozen
    model.compile(make(), "mse", jit_compile=False)
    exclude_from_decay(model.optimizer, model)
    model.optimizer.build(model.trainable_variables)
    if own:
        use_own_update(model.optimizer, False)
    rng = np.random.default_rng(2)
    for _ in range(steps):
        images = rng.normal(size=(4, 6, 6, 2)).astype("float32")
        model.train_on_batch(images, rng.normal(size=(4, 4, 4, 2)).astype("float32"))
    return model


def is_own(optimizer, part="_update_model_variables_moving_average"):
    return part in vars(getattr(optimizer, "inner_optimizer", optimizer))


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_weights_and_state_become_those_of_keras(make, frozen):
    own, plain = (trained(make, own, frozen=frozen) for own in (True, False))
    assert [is_own(model.optimizer) for model in (own, plain)] == [True, False]
    ours, theirs = (model.variables + model.optimizer.variables for model in (own, plain))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2e-5, atol=2e-6)


def test_a_saved_optimizer_goes_on_with_either_update(tmp_path):
    model = trained(OPTIMIZERS["adam"], own=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert not is_own(loaded.optimizer)
    batch = np.ones((1, 6, 6, 2), "float32"), np.zeros((1, 4, 4, 2), "float32")
    for one in (model, loaded):
        one.train_on_batch(*batch)
    for ours, theirs in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-5, atol=2e-6)


def test_rows_of_an_embedding_are_left_to_keras():
    def after(own):
        keras.utils.set_random_seed(1)
        model = keras.Sequential([keras.Input((3,)), layers.Embedding(9, 4), layers.Dense(2)])
        model.compile(keras.optimizers.Adam(0.1), "mse", jit_compile=False)
        model.optimizer.build(model.trainable_variables)
        if own:
            use_own_update(model.optimizer, False)
        for _ in range(3):
            model.train_on_batch(np.array([[0, 2, 2], [3, 0, 8]]), np.ones((2, 3, 2), "float32"))
        return model.get_weights()

    for ours, theirs in zip(after(True), after(False), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam(amsgrad=True),
        keras.optimizers.SGD(),
        keras.optimizers.Nadam(),
        keras.optimizers.RMSprop(),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_other_optimizers_keep_their_own_step(optimizer):
    use_own_update(optimizer, False)
    assert not is_own(optimizer, "_backend_update_step")


def test_with_xla_or_several_devices_nothing_changes():
    import tensorflow as tf

    optimizer = keras.optimizers.Adam()
    use_own_update(optimizer, True)
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        use_own_update(optimizer, False)
    assert not is_own(optimizer)


@pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS.keys())
def test_the_step_has_fewer_operations(make):
    import tensorflow as tf

    def operations(own):
        model = trained(make, own, steps=1)
        gradients = [ops.ones_like(v) for v in model.trainable_variables]

        @tf.function(autograph=False)
        def update():
            model.optimizer.apply(gradients, model.trainable_variables)

        graph = update.get_concrete_function().graph.as_graph_def()
        branches = graph.library.function
        return len(graph.node) + sum(len(branch.node_def) for branch in branches)

    assert operations(own=True) < operations(own=False)

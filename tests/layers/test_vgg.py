import keras
import numpy as np

from kseg.layers.vgg import vgg16


def test_the_body_is_the_vgg16_of_keras():
    theirs = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 64, 3))
    inputs = keras.Input((32, 64, 3))
    features, pooled = vgg16(inputs)
    ours = keras.Model(inputs, [features[2], pooled[-1]])
    ours.set_weights(theirs.get_weights())
    stages = [theirs.get_layer(name).output for name in ("block3_conv3", "block5_pool")]
    theirs = keras.Model(theirs.input, stages)
    image = np.random.default_rng(0).normal(size=(1, 32, 64, 3)).astype("float32")
    for our, their in zip(ours(image), theirs(image), strict=True):
        our, their = map(keras.ops.convert_to_numpy, (our, their))
        np.testing.assert_allclose(our, their, rtol=1e-3, atol=1e-5)

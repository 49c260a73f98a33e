"""What the ImageNet weights of frozen encoders are worth: linear probes on CamVid."""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from jsonargparse import auto_cli  # noqa: E402
from result_files import write_rows  # noqa: E402

FILES = {
    "vgg16": "vgg16_notop_float16.weights.h5",
    "resnet50": "resnet50_notop_float16.weights.h5",
    "mobilenet": "mobilenet_notop_dequantised.weights.h5",
    "mobilenetv2": "mobilenetv2_notop.weights.h5",
}


def main(camvid: str, weights: str, train: int = 100, test: int = 100, seed: int = 0) -> None:
    """Probe every encoder with its weights and with random ones.

    Args:
        camvid: Folder of CamVid in SegNet's layout.
        weights: Folder of the weights files.
        train: Images of the train split, evenly spaced, that the probe learns from.
        test: Images of the test split, evenly spaced, that it is scored on.
        seed: Seed of the random weights.
    """
    rows = []
    for encoder, file in FILES.items():
        for start in (None, Path(weights) / file):
            accuracy, miou = probe(encoder, start, Path(camvid), (train, test), seed)
            rows.append(
                {
                    "encoder": encoder,
                    "weights": "random" if start is None else "imagenet",
                    "train_images": train,
                    "test_images": test,
                    "cell_accuracy": round(accuracy, 3),
                    "mean_iou": round(miou, 3),
                }
            )
            print(rows[-1], flush=True)
    write_rows("encoder_probe.csv", rows)


def probe(
    encoder: str, weights: Path | None, camvid: Path, counts: tuple[int, int], seed: int = 0
) -> tuple[float, float]:
    """Return accuracy and mean IoU of a linear classifier of frozen features at stride 16.

    Each cell of 16x16 pixels has the class of the pixel in its middle; void cells are left out.
    """
    import keras
    import numpy as np
    from sklearn.linear_model import RidgeClassifier
    from sklearn.metrics import jaccard_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from kseg.data.camvid import VOID_CLASS, open_camvid
    from kseg.data.resize import resize_sample
    from kseg.encoders import Encoder
    from kseg.layers.preprocess import image_init_layer

    keras.utils.set_random_seed(seed)
    network = Encoder(encoder, None if weights is None else str(weights))
    inputs = keras.Input((192, 256, 3))
    images = image_init_layer(network.spec.convention)(inputs)
    model = keras.Model(inputs, network(images).stages[16])
    dataset = open_camvid("camvid", camvid)

    def cells(files, count):
        chosen = [files[i] for i in np.linspace(0, len(files) - 1, count).astype(int)]
        samples = [resize_sample(dataset.load(f), (192, 256), 1, VOID_CLASS) for f in chosen]
        features = model.predict(np.stack([s.image for s in samples]), batch_size=8, verbose=0)
        labels = np.stack([s.labels[8::16, 8::16] for s in samples]).ravel()
        known = labels != VOID_CLASS
        return features.reshape(-1, features.shape[-1])[known], labels[known]

    classifier = make_pipeline(StandardScaler(), RidgeClassifier(alpha=100.0))
    classifier.fit(*cells(dataset.train, counts[0]))
    features, labels = cells(dataset.test, counts[1])
    predicted = classifier.predict(features)
    miou = jaccard_score(labels, predicted, average="macro", labels=np.unique(labels))
    return float((predicted == labels).mean()), float(miou)


if __name__ == "__main__":
    auto_cli(main)

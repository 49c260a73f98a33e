"""Losses and scores computed another way: float64, scikit-learn, and loops over classes."""

import numpy as np
from sklearn import metrics as sk


def softmax(logits):
    """Return float64 probabilities; a single channel becomes two."""
    logits = np.asarray(logits, np.float64)
    if logits.shape[-1] == 1:
        foreground = 1 / (1 + np.exp(-logits))
        return np.concatenate([1 - foreground, foreground], -1)
    shares = np.exp(logits - logits.max(-1, keepdims=True))
    return shares / shares.sum(-1, keepdims=True)


def ce(labels, probabilities, weights=None, ignore=None):
    """Cross-entropy by scikit-learn, class weights as weights of its samples."""
    num_classes = probabilities.shape[-1]
    labels, rows = labels.ravel(), probabilities.reshape(-1, num_classes)
    keep = labels != ignore
    labels, rows = labels[keep], rows[keep]
    samples = None if weights is None else np.asarray(weights, np.float64)[labels]
    return sk.log_loss(labels, rows, labels=range(num_classes), sample_weight=samples)


def dice(labels, probabilities, weights=None, ignore=None, smooth=0.0, class_ids=None):
    """1 - Dice of each class, over pixels one class at a time, then the weighted mean."""
    num_classes = probabilities.shape[-1]
    keep = labels != ignore
    values, shares = [], []
    for c in class_ids or range(num_classes):
        truth, predicted = (labels[keep] == c).astype(np.float64), probabilities[keep][:, c]
        if truth.sum():
            top = 2 * np.dot(truth, predicted) + smooth
            values.append(1 - top / (truth.sum() + predicted.sum() + smooth))
            shares.append(1.0 if weights is None else weights[c])
    return np.average(values, weights=shares)


def score(name, truth, prediction, num_classes, average="macro"):
    """A score of label arrays by scikit-learn; some names fix their own average."""
    average = {"fw_iou": "weighted"}.get(name, "macro" if "mean_" in name else average)
    truth, prediction = truth.ravel(), prediction.ravel()
    seen = [c for c in np.unique(truth) if c > 0 or name != "object_mean_iou"]
    labels = range(num_classes) if average == "micro" else seen
    options = {"labels": list(labels), "average": average, "zero_division": 0}
    whole = {
        "pixel_accuracy": sk.accuracy_score,
        "kappa": sk.cohen_kappa_score,
        "mcc": sk.matthews_corrcoef,
    }
    if name in whole:
        return whole[name](truth, prediction)
    if name == "specificity":
        return specificity(truth, prediction, options["labels"], average)
    if name.endswith("iou") or name in ("iou_score", "jaccard_score"):
        return sk.jaccard_score(truth, prediction, **options)
    if name == "precision":
        return sk.precision_score(truth, prediction, **options)
    if name in ("mean_pixel_accuracy", "recall"):
        return sk.recall_score(truth, prediction, **options)
    beta = {"f1_score": 1, "dice_score": 1, "f2_score": 2}[name]
    return sk.fbeta_score(truth, prediction, beta=beta, **options)


def specificity(truth, prediction, labels, average):
    """Recall of "any other class", by scikit-learn, one class against the rest at a time."""
    rest = [(truth != c, prediction != c) for c in labels]
    if average == "micro":
        return sk.recall_score(*map(np.concatenate, zip(*rest, strict=True)))
    values = [sk.recall_score(*pair, zero_division=1.0) for pair in rest]
    weights = [(truth == c).sum() if average == "weighted" else 1 for c in labels]
    return np.average(values, weights=weights)

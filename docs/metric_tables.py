"""What docs/metrics.md says about each score, and its table."""

from __future__ import annotations

from page_parts import markdown
from result_files import read_rows

from kseg.metrics import list_metrics
from kseg.metrics.scores import get_score

AVERAGES = {
    "": "any",
    "macro": "mean over classes",
    "micro": "all pixels",
    "weighted": "weighted by truth pixels",
    "whole": "whole matrix",
}
# Formula and use of each score.
ENTRIES = {
    "iou_score": ("TP / (TP + FP + FN)", "how well regions fit; the usual score"),
    "jaccard_score": ("TP / (TP + FP + FN)", "another name for `iou_score`"),
    "mean_iou": ("TP / (TP + FP + FN)", "mIoU of papers about street scenes and photographs"),
    "object_mean_iou": ("TP / (TP + FP + FN), without class 0", "a large, easy background"),
    "fw_iou": ("TP / (TP + FP + FN)", "large classes matter more than small ones"),
    "dice_score": ("2 TP / (2 TP + FP + FN)", "medical images; always above the IoU"),
    "f1_score": ("2 TP / (2 TP + FP + FN)", "another name for `dice_score`"),
    "f2_score": ("5 TP / (5 TP + 4 FN + FP)", "missing is worse than marking too much"),
    "precision": ("TP / (TP + FP)", "how much of what is marked is right"),
    "recall": ("TP / (TP + FN)", "how much of what is there is found; sensitivity"),
    "specificity": ("TN / (TN + FP)", "false alarms, in medical reports"),
    "pixel_accuracy": ("right pixels / pixels", "classes of equal size; else it flatters"),
    "mean_pixel_accuracy": ("TP / (TP + FN)", "as `recall`, under its name in FCN's paper"),
    "kappa": ("(p_o - p_e) / (1 - p_e)", "accuracy beyond chance, in remote sensing"),
    "mcc": ("correlation of truth and prediction", "one number that uneven classes do not fool"),
}


def metric_table() -> str:
    """Return name, formula, average and use of every score."""
    assert ENTRIES.keys() == set(list_metrics()), "a score has no line in ENTRIES"
    rows = [
        (f"`{name}`", f"`{formula}`", AVERAGES[get_score(name).average], use)
        for name, (formula, use) in ENTRIES.items()
    ]
    return markdown(("name", "formula", "average", "when to use it"), rows)


def cost_sentence() -> str:
    """Say what five scores add to a training step."""
    names = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
    rows = sorted(read_rows("metric_cost.csv"), key=lambda row: list(names).index(row["backend"]))
    shares = ", ".join(
        f"{float(row['shared_percent']):.2f} % on {names[row['backend']]}" for row in rows
    )
    model, size = rows[0]["model"], rows[0]["size"]
    return (
        f"Five scores in one `SegmentationMetrics` add so much to a training step of `{model}` at "
        f"{size}x{size} on a CPU: {shares}."
    )


TABLES = {"metrics": metric_table, "cost": cost_sentence}

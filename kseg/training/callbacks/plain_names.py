"""Names in the logs of models with several outputs."""

from __future__ import annotations

import keras

_PREFIXES = {"logits_": "", "val_logits_": "val_"}


class PlainNames(keras.callbacks.Callback):
    """Let the scores of the output "logits" be named as those of a model with one output.

    It changes the logs for the callbacks after it: `val_logits_iou_score` becomes
    `val_iou_score`. The loss of that output alone keeps its name, since `loss` is the whole.
    """

    def on_epoch_end(self, epoch, logs=None):
        logs = {} if logs is None else logs
        for name in list(logs):
            for prefix, plain in _PREFIXES.items():
                if name.startswith(prefix) and not name.endswith("_loss"):
                    logs[plain + name.removeprefix(prefix)] = logs.pop(name)

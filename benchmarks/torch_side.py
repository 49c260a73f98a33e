"""A network of PyTorch that trains and predicts when told to; see `turns`."""

from __future__ import annotations

from typing import Any

import numpy as np
import peers
import torch
from architectures import SMP
from machine import describe, device_name
from side import Side, random_batch
from torch.nn import functional


class TorchSide(Side):
    """A peer, "eager", "channels_last", or "compile" (which is channels-last too).

    The work is that of our models: uint8 images from the host, normalised on the device; training
    by cross-entropy and Adam; prediction to uint8 labels on the host.
    """

    def __init__(self, spec: dict[str, Any]):
        super().__init__(spec)
        self._declared = peers.declare_operators() if spec["encoder"] else None
        torch.manual_seed(0)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        network = peers.build_peer(spec["model"], spec["encoder"], spec["classes"])
        self._parameters = peers.count_parameters(network)
        layout = torch.contiguous_format if spec["way"] == "eager" else torch.channels_last
        self._layout, network = layout, network.to(self._device, memory_format=layout)
        self._network = torch.compile(network) if spec["way"] == "compile" else network
        self._optimizer = torch.optim.Adam(network.parameters())
        self._half = spec["precision"] == "mixed_bfloat16"

    def about(self) -> dict[str, Any]:
        """Return what was built, and on what."""
        packages = ("torch", *((SMP,) if self.spec["encoder"] else ()))
        machine = describe("torch", device_name("torch"), packages)
        return {"parameters": self._parameters, **machine}

    def first_step(self) -> float:
        """Take a training step, in which `torch.compile` compiles; return its seconds."""
        self._network.train()
        self._batch = random_batch(self.spec)
        return self.timed(self._step)

    def first_prediction(self, size: int, batch: int) -> float:
        """Predict a batch, in which `torch.compile` compiles; return the seconds."""
        self._network.eval()
        self._images, _ = random_batch({**self.spec, "size": size, "batch": batch})
        return self.timed(self._predict)

    def fit(self, seconds: float) -> float | None:
        """A bare loop is all that there is."""

    def rest(self) -> None:
        """Give unused memory of the GPU back, outside of what is timed."""
        if self._device == "cuda":
            torch.cuda.empty_cache()

    def memory_mb(self) -> float:
        """Return the most memory that was in use, of the GPU where there is one."""
        if self._device == "cuda":
            return torch.cuda.max_memory_allocated() / 1e6
        return super().memory_mb()

    def _step(self) -> None:
        images, labels = self._batch
        self._optimizer.zero_grad(set_to_none=True)
        with self._autocast():
            logits = self._network(self._prepared(images))
        truth = torch.from_numpy(labels).to(self._device).long()
        loss = functional.cross_entropy(logits.float(), truth)
        loss.backward()
        self._optimizer.step()
        loss.item()

    def _predict(self) -> np.ndarray:
        with torch.inference_mode(), self._autocast():
            logits = self._network(self._prepared(self._images))
            return logits.argmax(1).to(torch.uint8).cpu().numpy()

    def _prepared(self, images: np.ndarray) -> torch.Tensor:
        x = torch.from_numpy(images).to(self._device).permute(0, 3, 1, 2).float() / 255
        return x.contiguous(memory_format=self._layout)

    def _autocast(self) -> Any:
        return torch.autocast(self._device, torch.bfloat16, enabled=self._half)

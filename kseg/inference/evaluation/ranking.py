"""The images with the lowest and the highest scores of very many."""

from __future__ import annotations

import heapq
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Extremes(Generic[Item]):
    """Keep the worst and the best items, and no others.

    Args:
        count: How many of each.
    """

    def __init__(self, count: int):
        self._count = count
        self._order = 0
        self._lowest: list[tuple[float, int, Item]] = []
        self._highest: list[tuple[float, int, Item]] = []

    def offer(self, score: float, item: Item) -> None:
        """Take an item into account; of equal scores the first stays."""
        # No two entries have the same order, so items are never compared.
        self._order -= 1
        for heap, key in ((self._lowest, -score), (self._highest, score)):
            entry = (key, self._order, item)
            if len(heap) < self._count:
                heapq.heappush(heap, entry)
            elif heap and entry[:2] > heap[0][:2]:
                heapq.heapreplace(heap, entry)

    def worst(self) -> list[tuple[float, Item]]:
        """Return scores and items, the lowest first."""
        return [(-key, item) for key, _, item in sorted(self._lowest, key=_rank)]

    def best(self) -> list[tuple[float, Item]]:
        """Return scores and items, the highest first."""
        return [(key, item) for key, _, item in sorted(self._highest, key=_rank)]


def _rank(entry: tuple[float, int, object]) -> tuple[float, int]:
    return -entry[0], -entry[1]

"""What was worked out is remembered, and worked out once however many ask for it at a time."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock, RLock
from typing import Any, TypeVar

Made = TypeVar("Made")


@dataclass(slots=True)
class _Kept:
    making: RLock = field(default_factory=RLock)
    is_made: bool = False
    value: Any = None
    size: int = 0


class Memory:
    """Safe to share between threads.

    Whoever asks first for a thing works it out. Who asks for the same thing waits for it; who asks
    for another does not. Making one thing may ask for others, not in a circle.

    Args:
        most: how much is kept, the least used goes first; None for everything.
        size: of a thing, in the same unit.
    """

    def __init__(self, most: int | None = None, size: Callable[[Any], int] = lambda _: 1) -> None:
        self._most, self._size = most, size
        self._known: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._total, self._lock = 0, Lock()

    def of(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What is remembered under `key`, or what `make` gives. What it raises is not kept."""
        with self._lock:
            kept = self._known.setdefault(key, _Kept())
            self._known.move_to_end(key)
        with kept.making:
            if not kept.is_made:
                self._make(key, kept, make)
            made: Made = kept.value
        return made

    def _make(self, key: Hashable, kept: _Kept, make: Callable[[], Any]) -> None:
        try:
            kept.value = make()
        except BaseException:
            with self._lock:
                if self._known.get(key) is kept:
                    del self._known[key]
            raise
        kept.is_made, kept.size = True, self._size(kept.value)
        with self._lock:
            if self._known.get(key) is kept:
                self._total += kept.size
            self._forget()

    def _forget(self) -> None:
        """Lets the least used go, but not what is being made: others wait for it."""
        for key, kept in list(self._known.items()):
            if self._most is None or self._total <= self._most:
                return
            if kept.is_made:
                self._total -= kept.size
                del self._known[key]

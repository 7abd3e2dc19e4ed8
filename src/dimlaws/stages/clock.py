"""Wall and CPU time of a stage, kept with what it computed."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Clock:
    """Starts when made."""

    _wall: float = field(default_factory=time.perf_counter)
    _cpu: float = field(default_factory=time.process_time)

    def metadata(self) -> dict[str, str]:
        """Return the seconds spent so far, as file metadata."""
        return {
            "wall_seconds": f"{time.perf_counter() - self._wall:.3f}",
            "cpu_seconds": f"{time.process_time() - self._cpu:.3f}",
        }

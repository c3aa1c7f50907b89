"""What the predictor counts: how long predictions took, and what the process uses."""

import os
import resource
import threading
import time
from typing import Any

from foretell.inference._fork import after_fork

_BUCKETS = 8 * 40  # of nanoseconds: up to 18 minutes


def _bucket_of(nanoseconds: int) -> int:
    """The first eight are a nanosecond each; then a bucket is an eighth of its power of two wide."""
    if nanoseconds < 8:
        return max(nanoseconds, 0)
    power = nanoseconds.bit_length() - 1
    return min(8 * (power - 2) + (nanoseconds >> (power - 3) & 7), _BUCKETS - 1)


def _middle_of(bucket: int) -> float:
    """The middle of the bucket's nanoseconds."""
    return bucket + 0.5 if bucket < 8 else (8.5 + bucket % 8) * (1 << (bucket // 8 - 1))


class Durations:
    """Durations of predictions, and how many rows they had. Quantiles are within 7 % of the truth.

    Every method may be called from any thread at once.
    """

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self._n = 0
        self._nanoseconds = 0
        self._rows = 0
        self._busy = 0
        self._after_fork()
        after_fork(self)

    def _after_fork(self) -> None:
        self._lock = threading.Lock()

    def add(self, nanoseconds: int, rows: int, busy: int) -> None:
        """One prediction: how long the call took, its rows, and the nanoseconds of predicting alone."""
        power = nanoseconds.bit_length() - 1  # _bucket_of, without the call
        bucket = (
            8 * (power - 2) + (nanoseconds >> (power - 3) & 7) if 2 < power < 40 else _bucket_of(nanoseconds)
        )
        with self._lock:
            self._counts[bucket] += 1
            self._n += 1
            self._nanoseconds += nanoseconds
            self._rows += rows
            self._busy += busy

    def add_rows(self, rows: int, busy: int) -> None:
        """Rows of a file: they count in the throughput, not among the durations."""
        with self._lock:
            self._rows += rows
            self._busy += busy

    def snapshot(self) -> dict[str, Any]:
        """predictions, rows, latency (p50, p95, p99 and mean, in seconds) and throughput_samples_per_sec."""
        with self._lock:
            counts, n, total, rows, busy = (
                list(self._counts),
                self._n,
                self._nanoseconds,
                self._rows,
                self._busy,
            )
        latency = {
            name: _quantile(counts, n, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
        }
        latency["mean"] = total * 1e-9 / n if n else 0.0
        return {
            "predictions": n,
            "rows": rows,
            "latency": latency,
            "throughput_samples_per_sec": rows / (busy * 1e-9) if busy else 0.0,
        }


def _quantile(counts: list[int], n: int, share: float) -> float:
    """Seconds below which a share of the durations are; 0 when there are none."""
    seen = 0
    for bucket, count in enumerate(counts):
        seen += count
        if seen and seen >= share * n:
            return _middle_of(bucket) * 1e-9
    return 0.0


def _lines_of(path: str) -> dict[str, int]:
    """The numbers of a file of "NAME: NUMBER" lines of the system; none when it is not there."""
    found: dict[str, int] = {}
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            for line in file:
                name, _, rest = line.partition(":")
                words = rest.split()
                if words and words[0].isdigit():
                    found[name] = int(words[0])
    except OSError:
        pass
    return found


def process_figures() -> dict[str, Any]:
    """What this process uses: CPU time, memory, bytes from and to disks, open files, threads."""
    status, io = _lines_of("/proc/self/status"), _lines_of("/proc/self/io")
    usage = resource.getrusage(resource.RUSAGE_SELF)
    try:
        open_files = len(os.listdir("/proc/self/fd")) - 1
    except OSError:
        open_files = 0
    return {
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "resident_bytes": 1024 * status.get("VmRSS", 0),
        "peak_bytes": 1024 * status.get("VmHWM", usage.ru_maxrss),
        "read_bytes": io.get("read_bytes", 0),
        "written_bytes": io.get("write_bytes", 0),
        "open_files": open_files,
        "threads": status.get("Threads", threading.active_count()),
    }


now = time.perf_counter_ns

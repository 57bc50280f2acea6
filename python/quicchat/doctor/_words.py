"""Times in words."""

from __future__ import annotations

from datetime import timedelta


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"


def duration(time: timedelta) -> str:
    if time >= timedelta(days=2):
        return f"{time.days} days"
    minutes = max(1, round(time.total_seconds() / 60))
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours"

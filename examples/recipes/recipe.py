"""What the recipes share: a model, and rows for it."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "python"))

from demo_model import customers, train  # noqa: E402

__all__ = ["customers", "train"]

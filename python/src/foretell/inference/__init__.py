"""Predictions from model files: open models stay in a cache, files of any size go through in constant memory.

    from foretell.inference import get_optimized_predictor

    predictor = get_optimized_predictor()
    result = predictor.predict(model_path="model.joblib", X=X_test, return_probabilities=True)
    result["predictions"], result["throughput_samples_per_sec"]

Nothing of a model file is executed. docs/PYTHON.md is the guide.
"""

from foretell.inference._cache import ModelCache
from foretell.inference._options import BatchOptions
from foretell.inference._predictor import OptimizedPredictor, get_optimized_predictor
from foretell.inference._results import BatchMetrics, PredictionResult
from foretell.inference._streams import StreamOptions
from foretell.inference._table import BatchResult

__all__ = [
    "BatchMetrics",
    "BatchOptions",
    "BatchResult",
    "ModelCache",
    "OptimizedPredictor",
    "PredictionResult",
    "StreamOptions",
    "get_optimized_predictor",
]

"""The common design: FastAPI, and a cache of joblib models. MODELS names the folder with the models."""

import functools
import os
import time

import joblib
import numpy as np
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class PredictionRequest(BaseModel):
    model_path: str
    features: list[list[float]]
    return_probabilities: bool = False


@functools.lru_cache(maxsize=15)
def load(path: str):
    return joblib.load(os.path.join(os.environ["MODELS"], path))


@app.post("/api/v1/inference/predict")
def predict(request: PredictionRequest):
    start = time.perf_counter()
    model = load(request.model_path)
    rows = np.asarray(request.features)
    answer = {"predictions": model.predict(rows).tolist()}
    if request.return_probabilities:
        answer["probabilities"] = model.predict_proba(rows).tolist()
    seconds = time.perf_counter() - start
    answer.update(n_samples=len(rows), inference_time_seconds=seconds, throughput_samples_per_sec=len(rows) / seconds)
    return answer

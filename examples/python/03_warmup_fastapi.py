"""3. A FastAPI service that opens its models before it takes requests.

    python 03_warmup_fastapi.py [MODEL]     starts it on a free port, sends a request, and ends
    uvicorn 03_warmup_fastapi:app           serves (with MODEL in the environment)

Applications of older FastAPI versions warm up in @app.on_event("startup"); lifespan took its place. Both
are below.
"""

import contextlib
import json
import os
import socket
import threading
import urllib.request

from fastapi import FastAPI
from foretell.fastapi import make_router
from foretell.inference import OptimizedPredictor

predictor = OptimizedPredictor(cache_size=15)  # 5 for small deployments, 30 for large ones


@contextlib.asynccontextmanager
async def lifespan(app):
    """Before the first request: the models are open, and their plans are made."""
    for path in os.environ.get("MODEL", "").split():
        warmed = await predictor.awarmup(path)
        for model in warmed["models"]:
            print(f"warm: {model['model_path']} in {1e3 * model['load_time_seconds']:.1f} ms")
    yield
    predictor.clear_cache()


def make_app(model_path):
    """The application, with the endpoints under /api/v1/inference."""
    app = FastAPI(title="Churn", lifespan=lifespan)
    app.include_router(make_router(predictor, models={"churn": model_path}), prefix="/api/v1/inference")
    return app


def make_older_app(model_path):
    """The same for versions of FastAPI that have on_event."""
    app = FastAPI(title="Churn")
    app.include_router(make_router(predictor, models={"churn": model_path}), prefix="/api/v1/inference")

    @app.on_event("startup")
    def warm():
        predictor.warmup(model_path)

    return app


app = make_app(os.environ["MODEL"].split()[0]) if os.environ.get("MODEL") else None


def main():
    """Serves in a thread, asks once, ends."""
    import uvicorn
    from demo_model import model_and_folder, rows_for

    model_path, _ = model_and_folder()
    os.environ["MODEL"] = str(model_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(make_app(str(model_path)), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        port = listener.getsockname()[1]
        rows = json.loads(rows_for(model_path, 2).to_json(orient="records"))
        body = json.dumps({"model_path": "churn", "features": rows, "return_probabilities": True}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v1/inference/predict", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.load(answer)
        print("predictions:", result["predictions"], "cache hit:", result["cache_hit"])
        server.should_exit = True
        thread.join()
    if not result["cache_hit"]:
        raise SystemExit("the model was not warm")


if __name__ == "__main__":
    main()

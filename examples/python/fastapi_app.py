"""An application that has foretell's endpoints beside its own.

    uvicorn --app-dir examples/python fastapi_app:app
    curl http://127.0.0.1:8000/api/v1/inference/health

Models and data lie in the working folder unless FORETELL_SERVE_MODEL_ROOT and FORETELL_SERVE_DATA_ROOT say
otherwise; outputs are written beneath FORETELL_SERVE_OUTPUT_ROOT, and nowhere without it. The description of all endpoints is at /docs.
"""

from fastapi import FastAPI
from foretell.fastapi import router

app = FastAPI(
    title="An application of one's own", swagger_ui_parameters={"filter": True}
)  # by the tag inference
app.include_router(router, prefix="/api/v1/inference")


@app.get("/")
def home() -> dict[str, str]:
    """A route of the application's own."""
    return {"hello": "world"}

"""Answers as JSON, and what is wrong as the same JSON that foretell-server gives."""

import json
import math
from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from typing import Any

import numpy as np
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from foretell import errors

PHRASES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110; older Pythons have older words


class Refusal(Exception):
    """An answer that is no success: a problem (RFC 9457), or with `field` a 422 in FastAPI's shape."""

    def __init__(
        self, status: int, detail: str, *, field: str | None = None, kind: str = "value_error"
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.field = field
        self.kind = kind

    def response(self) -> Response:
        """The answer."""
        if self.status == 422 and self.field is not None:
            return json_response(
                {"detail": [{"loc": ["body", self.field], "msg": self.detail, "type": self.kind}]}, 422
            )
        title = PHRASES.get(self.status) or HTTPStatus(self.status).phrase
        headers = {"Retry-After": "1"} if self.status == 503 else None
        return json_response(
            {"type": "about:blank", "title": title, "status": self.status, "detail": self.detail},
            self.status,
            "application/problem+json",
            headers,
        )


def finite(value: Any) -> Any:
    """The same without NaN and infinities, which JSON has no word for."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [finite(item) for item in value]
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    return value


def json_response(
    content: Any, status: int = 200, media: str = "application/json", headers: Mapping[str, str] | None = None
) -> Response:
    """An answer of JSON; numbers that are none are null."""
    try:
        text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except ValueError:
        text = json.dumps(finite(content), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # a text of JSON may hold half of a pair of surrogates, which UTF-8 has no bytes for
    return Response(text.encode("utf-8", "replace"), status, headers, media)


def shortest(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """float32 as the doubles that print as shortly: 0.1 and not 0.10000000149011612."""
    return values.astype(np.str_).astype(np.float64) if values.dtype == np.float32 else values


def _plain(values: np.ndarray[Any, Any]) -> list[Any]:
    """An array as lists for JSON, which has texts for bytes."""

    def text(value: Any) -> Any:
        if isinstance(value, list):
            return [text(each) for each in value]
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else value

    made = shortest(values).tolist()
    return list(text(made) if values.dtype.kind in "SO" else made)


def to_rows(result: Any) -> list[Any]:
    """A method's result as lists for JSON: a value for each row, or a list where there are several."""
    if isinstance(
        result, (list, tuple)
    ):  # several arrays beside each other: of targets, or distances and indices
        parts = [to_rows(np.asarray(part)) for part in result]
        return [
            [value for part in row for value in (part if isinstance(part, list) else [part])]
            for row in zip(*parts, strict=True)
        ]
    if hasattr(result, "toarray"):
        result = result.toarray()
    return _plain(np.asarray(result))


def classes_of(classes: list[Any]) -> list[Any] | None:
    """The classes; a list of them for each target of several; None: the model has none."""
    if not classes:
        return None
    lists = [_plain(np.asarray(each)) for each in classes]
    return lists[0] if len(lists) == 1 else lists


def message_of(error: errors.Error, rows: bool = True) -> str:
    """The message with the place that it does not name itself; rows: of a request's rows, not of a file's
    lines."""
    message = str(error.message or error)
    place = ""
    if rows and error.row is not None and "row " not in message:
        column = error.column is not None and "column " not in message
        place = f"row {error.row}{f', column {error.column}' if column else ''}: "
    return f"{place}{error.path}: {message}" if error.path else place + message


def status_of(error: errors.Error) -> int:
    """HTTP's status of what the library says."""
    if isinstance(error, (errors.OutOfMemoryError, errors.Cancelled)):
        return 503
    if isinstance(error, errors.LimitError):
        return 413
    if isinstance(error, (errors.ModelNotFoundError, errors.FileError)):
        return 404
    return 500 if isinstance(error, errors.InternalError) else 422


def refusal_of(error: errors.Error, hide: Mapping[str, str] | None = None) -> Refusal:
    """A failed prediction; `hide` are paths that a client knows under other names."""
    message = message_of(error)
    for path, shown in (hide or {}).items():
        message = message.replace(path, shown)
    of_rows = isinstance(error, (errors.ShapeError, errors.SchemaError, errors.DataError))
    kind = "value_error" if isinstance(error, errors.DataError) else "model_error"
    return Refusal(status_of(error), message, field="features" if of_rows else "model_path", kind=kind)


NO_TEXT = {"loc": ["body"], "msg": "the body is no JSON: it is not UTF-8", "type": "json_invalid"}


def told(problem: Mapping[str, Any]) -> dict[str, Any]:
    """What a client is told of one thing that is wrong: not the input, which may be large or hold NaN."""
    if problem["type"] == "json_invalid":
        why = problem.get("ctx", {}).get("error", problem["msg"])
        return {"loc": ["body"], "msg": f"the body is no JSON: {why}", "type": "json_invalid"}
    return {"loc": list(problem["loc"]), "msg": problem["msg"], "type": problem["type"]}


class Route(APIRoute):
    """A route whose errors are answers of the server's shape, in whatever application it is."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except Refusal as refusal:
                return refusal.response()
            except RequestValidationError as error:
                return json_response({"detail": [told(one) for one in error.errors()]}, 422)
            except HTTPException as error:
                if error.status_code != 400:
                    raise
                return json_response({"detail": [NO_TEXT]}, 422)  # bytes that are no text
            except errors.Error as error:
                return refusal_of(error).response()

        return answer

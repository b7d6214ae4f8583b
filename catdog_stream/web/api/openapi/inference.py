"""OpenAPI description of the Open Inference Protocol as offered here."""

from catdog_stream.web.api.openapi.parts import Part, array, error, in_json, obj, ref, response
from catdog_stream.web.api.v2.infer_request import INPUT, MAX_PICTURES, OUTPUTS

__all__ = ["PATHS", "SCHEMAS"]

_TEXT: Part = {"type": "string"}
_INTEGER: Part = {"type": "integer"}
_PARAMETERS: Part = {"type": "object"}
_BASE64: Part = {"type": "string", "format": "byte", "contentEncoding": "base64", "minLength": 4}
_BINARY: Part = {"type": "string", "format": "binary"}
_ASKED = obj(
    {
        "id": {**_TEXT, "maxLength": 1000},
        "parameters": obj({"binary_data_output": {"type": "boolean"}}, "binary_data_output"),
        "inputs": array(ref("InferenceInput"), minItems=1, maxItems=1),
        "outputs": array(
            obj({"name": {"enum": list(OUTPUTS)}, "parameters": _PARAMETERS}, "parameters")
        ),
    },
    "id",
    "parameters",
    "outputs",
)

SCHEMAS: Part = {
    "Error": obj({"error": _TEXT}),
    "Server": obj({"name": _TEXT, "version": _TEXT, "extensions": array(_TEXT)}),
    "TensorMetadata": obj({"name": _TEXT, "datatype": _TEXT, "shape": array(_INTEGER)}),
    "Model": obj(
        {
            "name": _TEXT,
            "versions": array(_TEXT),
            "platform": _TEXT,
            "inputs": array(ref("TensorMetadata")),
            "outputs": array(ref("TensorMetadata")),
            "parameters": _PARAMETERS,
        }
    ),
    "InferenceInput": obj(
        {
            "name": {"const": INPUT},
            "datatype": {"const": "BYTES"},
            "shape": {
                "type": "array",
                "description": "[n] or [n, 1]",
                "items": {"type": "integer", "minimum": 1, "maximum": MAX_PICTURES},
                "minItems": 1,
                "maxItems": 2,
            },
            "parameters": _PARAMETERS,
            "data": array(_BASE64, minItems=1, maxItems=MAX_PICTURES),
        },
        "parameters",
        "data",
    ),
    "Inference": _ASKED,
    "InferenceOutput": obj(
        {
            "name": _TEXT,
            "datatype": _TEXT,
            "shape": array(_INTEGER),
            "parameters": _PARAMETERS,
            "data": {"type": "array"},
        },
        "parameters",
        "data",
    ),
    "InferenceAnswer": obj(
        {
            "model_name": _TEXT,
            "model_version": _TEXT,
            "id": _TEXT,
            "parameters": _PARAMETERS,
            "outputs": array(ref("InferenceOutput")),
        },
        "id",
    ),
}


def _operation(name: str, summary: str, responses: Part, *parameters: str) -> Part:
    return {
        "operationId": name,
        "tags": ["inference"],
        "summary": summary,
        "parameters": [
            {"name": each, "in": "path", "required": True, "schema": _TEXT} for each in parameters
        ],
        "responses": responses,
    }


def _read(name: str, summary: str, schema: Part, errors: Part, *parameters: str) -> Part:
    responses = {"200": response("So it is.", schema), **errors}
    return {"get": _operation(name, summary, responses, *parameters)}


def _infer(name: str, *parameters: str) -> Part:
    answered = response("All pictures are labelled.", ref("InferenceAnswer"))
    answered["content"] |= in_json(_BINARY, "application/octet-stream")
    answered["headers"] = {"Inference-Header-Content-Length": {"schema": _INTEGER}}
    responses = {"200": answered, **error(400, 401, 403, 404, 408, 413, 429, 503, 504)}
    body = {
        **in_json(ref("Inference")),
        **in_json(_BINARY, "application/octet-stream"),
    }
    summary = "Have pictures classified by the stream."
    operation = _operation(name, summary, responses, *parameters)
    operation["parameters"].append(
        {
            "name": "Inference-Header-Content-Length",
            "in": "header",
            "description": "Bytes of JSON, where binary data stands behind them.",
            "schema": {"type": "integer", "minimum": 0},
        }
    )
    return {"post": {**operation, "requestBody": {"required": True, "content": body}}}


def _model(path: str, suffix: str, *parameters: str) -> Part:
    ready = obj({"name": _TEXT, "ready": {"const": True}})
    missing, unready = error(401, 404, 503), error(400, 401, 404, 503)
    return {
        path: _read(f"model{suffix}", "The model.", ref("Model"), missing, *parameters),
        f"{path}/ready": _read(
            f"modelReady{suffix}", "Whether it answers.", ready, unready, *parameters
        ),
        f"{path}/infer": _infer(f"infer{suffix}", *parameters),
    }


PATHS: Part = {
    "/v2": _read("server", "The server.", ref("Server"), error(401)),
    "/v2/health/live": _read("live", "Whether it lives.", _PARAMETERS, error(400)),
    "/v2/health/ready": _read("ready", "Whether it answers.", _PARAMETERS, error(400)),
    **_model("/v2/models/{name}", "", "name"),
    **_model("/v2/models/{name}/versions/{version}", "Version", "name", "version"),
}

"""The JSON Schema of pipelines, short forms of stages included."""

from typing import Any

from .pipeline import Pipeline

_PLAIN = ("exact", "near", "contained", "semantic", "paragraphs")
"""Stages that need no settings."""


def pipeline_schema() -> dict[str, Any]:
    """Return the JSON Schema of pipelines, short forms of stages included."""
    schema = Pipeline.model_json_schema()
    long = schema["properties"]["stages"]["items"]
    options: dict[str, Any] = {
        name: {"anyOf": [{"$ref": f"#/$defs/{name.title()}"}, {"type": "null"}]}
        for name in ("exact", "near", "contained", "semantic")
    }
    options |= {name: {"$ref": f"#/$defs/{name.title()}"} for name in ("balance", "select")}
    options["decontaminate"] = {"$ref": "#/$defs/Decontaminate"}
    options["filter"] = {"anyOf": [{"type": "string", "minLength": 1}, {"$ref": "#/$defs/Filter"}]}
    named = {
        "type": "object",
        "properties": options,
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }
    schema["properties"]["stages"]["items"] = {"anyOf": [{"enum": list(_PLAIN)}, named, long]}
    for name in ("inputs", "against"):
        paths = schema["properties"][name]
        paths["items"] = {"anyOf": [paths["items"], {"type": "string", "minLength": 1}]}
    for section in (schema, schema["$defs"]["Select"]):
        section["properties"]["mixture"]["anyOf"].append({"type": "string", "minLength": 1})
    return schema

"""A Croissant description of an output, made from its manifest.

Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html), with the origin of the rows in the
terms of PROV-O, as its section on provenance has it.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from .arrow_types import ArrowType, arrow_type
from .counted import counted
from .provenance import losses, portable, stages

NAME = "croissant.json"

_MIME = "application/x-parquet"

_TERMS = (
    *("annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "excludes", "extract"),
    *("field", "fileObject", "fileProperty", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath"),
    *("key", "md5", "parentField", "path", "readLines", "recordSet", "references", "regex", "repeated", "replace"),
    *("samplingRate", "sdVersion", "separator", "source", "subField", "transform", "unArchive"),
)
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    **{term: f"cr:{term}" for term in _TERMS},
}

_LEAVES = {
    "bool": "sc:Boolean",
    "halffloat": "cr:Float16",
    "float": "cr:Float32",
    "double": "cr:Float64",
    "date32[day]": "sc:Date",
    "date64[ms]": "sc:Date",
    **{f"{sign}int{bits}": f"cr:{sign.upper()}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
_STARTS = {"timestamp[": "sc:DateTime", "time32[": "sc:Time", "time64[": "sc:Time", "decimal": "sc:Float"}


def croissant(manifest: Mapping[str, Any], *, name: str, description: str) -> dict[str, Any]:
    """Return JSON-LD that belongs beside ``manifest.json``: paths in it are relative to its folder.

    It says nothing of when and where a run was: equal manifests give equal descriptions. Each set is a record set.

    Args:
        manifest: of version 3, as ``read_manifest`` returns it.
        name, description: of the data set, for people.
    """
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": name,
        "description": description,
        "rai:dataPreprocessingProtocol": [_protocol(stage, settings) for stage, settings in stages(manifest)],
        "rai:dataCollection": f"{_read(manifest)} read; manifest.json lists what was read.",
        "prov:wasDerivedFrom": [
            {
                "@type": "prov:Entity",
                "prov:label": line["path"],
                "contentSize": f"{line['size_bytes']} B",
            }
            for line in manifest["inputs"]
            if not line["reference"]
        ],
        "prov:wasGeneratedBy": _activities(manifest),
        "distribution": [*map(_file, manifest["files"]["data"]), *map(_file_set, manifest["sets"])],
        "recordSet": [_record_set(line, manifest) for line in manifest["sets"]],
    }


def _protocol(stage: str, settings: Mapping[str, Any]) -> str:
    return f"{stage} {json.dumps(settings, ensure_ascii=False, sort_keys=True)}" if settings else stage


def _read(manifest: Mapping[str, Any]) -> str:
    count = sum(not line["reference"] for line in manifest["inputs"])
    return counted(count, "file was", "files were")


def _activities(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the stages with what they removed, then what else kept rows out of the shards."""
    settings: dict[str, list[str]] = {}
    for stage, own in stages(manifest):
        settings.setdefault(stage, []).append(_protocol(stage, own))
    told = []
    for what, by, amount in losses(manifest):
        counts = ", ".join(
            counted(amount[unit], one) for unit, one in (("rows", "row"), ("bytes", "byte"), ("tokens", "word"))
        )
        told.append(_activity(by, f"{what}: {counts}. {'; '.join(settings.pop(by, ()))}".strip()))
    told += [_activity(stage, "; ".join(lines)) for stage, lines in settings.items()]
    shards = json.dumps(portable(manifest["settings"]["shards"]), sort_keys=True)
    emitted = manifest["ledger"]["emitted_rows"]
    return [
        *told,
        _activity(
            "shards",
            f"written: {counted(emitted, 'row')} in an order drawn by seed {manifest['settings']['seed']}. {shards}",
        ),
    ]


def _activity(label: str, description: str) -> dict[str, Any]:
    return {"@type": "prov:Activity", "prov:label": label, "description": description}


def _file(line: Mapping[str, Any]) -> dict[str, Any]:
    path = f"data/{line['name']}"
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": path,
        "contentSize": f"{line['size_bytes']} B",
        "encodingFormat": _MIME,
        "sha256": line["sha256"],
    }


def _file_set(line: Mapping[str, Any]) -> dict[str, Any]:
    folder = f"data/{line['folder']}".rstrip("/")
    return {
        "@type": "cr:FileSet",
        "@id": _files_id(line),
        "name": f"files of {line['name']}",
        "encodingFormat": _MIME,
        "includes": f"{folder}/*.parquet",
    }


def _files_id(line: Mapping[str, Any]) -> str:
    return f"parquet-files-for-{line['name']}"


def _record_set(line: Mapping[str, Any], manifest: Mapping[str, Any]) -> dict[str, Any]:
    of = f"Split {line['split']}" + (f", phase {line['phase']}" if line["phase"] is not None else "")
    return {
        "@type": "cr:RecordSet",
        "@id": line["name"],
        "name": line["name"],
        "description": f"{of}: {counted(line['layout']['rows'], 'row')}.",
        "field": [
            _field(line, field["name"], (field["name"],), arrow_type(field["type"]), field["type"])
            for field in manifest["schema"]
        ],
    }


def _field(line: Mapping[str, Any], column: str, path: tuple[str, ...], kind: ArrowType, told: str) -> dict[str, Any]:
    """Return a column, or what is in a struct: ``path`` leads to it."""
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": "/".join([line["name"], *(quote(part, safe="") for part in path)]),
        "name": path[-1],
        "description": f"Arrow type {told}.",
    }
    if kind.depth:
        field |= {"isArray": True, "arrayShape": ",".join(["-1"] * kind.depth)}
    if kind.fields:
        own = [_field(line, column, (*path, name), inner, inner.leaf) for name, inner in kind.fields]
        return field | {"subField": own}
    source: dict[str, Any] = {"fileSet": {"@id": _files_id(line)}, "extract": {"column": column}}
    if len(path) > 1:
        source["transform"] = {"jsonPath": ".".join(path[1:])}
    return field | {"dataType": _data_type(kind.leaf), "source": source}


def _data_type(leaf: str) -> str:
    starts = (found for start, found in _STARTS.items() if leaf.startswith(start))
    return _LEAVES.get(leaf) or next(starts, "sc:Text")

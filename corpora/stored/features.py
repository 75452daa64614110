"""Arrow types as the features of the library ``datasets``: its JSON, its YAML, and the schema metadata.

Written out here, and not taken from that library, because importing it costs seconds and the three forms are small and
fixed by the files people already have.
"""

import json
from typing import Any

import pyarrow as pa

_YAML_NAMES = {"bool": "bool", "double": "float64", "float": "float32"}


def features_json(schema: pa.Schema, classes: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    """The ``features`` of ``dataset_info.json``.

    Args:
        schema: The columns.
        classes: For columns of class numbers (or lists of such) the names of the classes.
    """
    return {f.name: _json(f.type, classes.get(f.name)) for f in schema}


def features_yaml(schema: pa.Schema, classes: dict[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    """The ``features`` of the YAML in a dataset's README."""
    return [{"name": f.name, **_yaml(f.type, classes.get(f.name))} for f in schema]


def with_features(schema: pa.Schema, classes: dict[str, tuple[str, ...]]) -> pa.Schema:
    """The schema with the metadata from which ``datasets`` knows the classes again."""
    info = {"info": {"features": features_json(schema, classes)}}
    return schema.with_metadata({"huggingface": json.dumps(info)})


def _dtype(kind: pa.DataType) -> str:
    return _YAML_NAMES.get(str(kind), str(kind))


def _json(kind: pa.DataType, names: tuple[str, ...] | None) -> dict[str, Any]:
    if pa.types.is_list(kind):
        return {"feature": _json(kind.value_type, names), "_type": "List"}
    if pa.types.is_struct(kind):
        return {f.name: _json(f.type, None) for f in kind}
    if names is not None:
        return {"names": list(names), "_type": "ClassLabel"}
    return {"dtype": _dtype(kind), "_type": "Value"}


def _yaml(kind: pa.DataType, names: tuple[str, ...] | None) -> dict[str, Any]:
    if pa.types.is_list(kind):
        inner = _yaml(kind.value_type, names)
        return {"list": inner.get("dtype") or inner.get("struct") or inner}
    if pa.types.is_struct(kind):
        return {"struct": [{"name": f.name, **_yaml(f.type, None)} for f in kind]}
    if names is not None:
        return {"dtype": {"class_label": {"names": {str(i): name for i, name in enumerate(names)}}}}
    return {"dtype": _dtype(kind)}

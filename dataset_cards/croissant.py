"""A dataset's Croissant description: JSON-LD that machine-learning catalogues read."""

from collections.abc import Mapping
from typing import Any

from dataset_cards.schema import Column, Config, Dataset

_TYPES = {
    "image": "sc:ImageObject",
    "string": "sc:Text",
    "strings": "sc:Text",
    "bool": "sc:Boolean",
    "int32": "cr:Int32",
    "int64": "cr:Int64",
    "float64": "cr:Float64",
}
_CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
REPOSITORY = "repo"


def describe(
    dataset: Dataset, configs: list[Config], *, url: str, date: str, version: str
) -> dict[str, Any]:
    """Return the description of a dataset with these configs.

    Args:
        dataset: which one.
        configs: those that have files.
        url: where the repository is.
        date: of publication, ISO 8601.
        version: of the data, `major.minor.patch`.
    """
    from dataset_cards.cards import parse_card

    metadata, _ = parse_card(dataset.card, dataset.name)
    return {
        "@context": dict(_CONTEXT),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": dataset.name,
        "description": metadata["description"],
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "url": url,
        "citeAs": metadata["citation"],
        "creator": {"@type": "sc:Organization", "name": "The CMC-Bench authors"},
        "datePublished": date,
        "version": version,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": REPOSITORY,
                "name": REPOSITORY,
                "description": "The repository.",
                "contentUrl": url,
                "encodingFormat": "git+https",
                # A repository has no hash of its own; each commit has.
                "sha256": "https://github.com/mlcommons/croissant/issues/80",
            },
            *(_file_set(config) for config in configs),
        ],
        "recordSet": [_record_set(config) for config in configs],
    }


def _file_set(config: Config) -> dict[str, Any]:
    return {
        "@type": "cr:FileSet",
        "@id": f"{config.name}-files",
        "name": f"{config.name}-files",
        "description": f"Parquet files of {config.name}.",
        "containedIn": {"@id": REPOSITORY},
        "encodingFormat": "application/x-parquet",
        "includes": config.pattern.format(split="*"),
    }


def _record_set(config: Config) -> dict[str, Any]:
    # Croissant 1.0 has no type for raw bytes.
    untyped = [f"`{column.name}`" for column in config.columns if column.dtype not in _TYPES]
    note = f" The bytes of {', '.join(untyped)} are in the Parquet files alone." if untyped else ""
    return {
        "@type": "cr:RecordSet",
        "@id": config.name,
        "name": config.name,
        "description": config.about + note,
        "field": [_field(config, column) for column in config.columns if column.dtype in _TYPES],
    }


def _field(config: Config, column: Column) -> dict[str, Any]:
    source: dict[str, Any] = {
        "fileSet": {"@id": f"{config.name}-files"},
        "extract": {"column": column.name},
    }
    if column.dtype == "image":
        source["transform"] = {"jsonPath": "bytes"}
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{config.name}/{column.name}",
        "name": column.name,
        "description": column.about,
        "dataType": _TYPES[column.dtype],
        "source": source,
    }
    if column.dtype == "strings":
        field["repeated"] = True
    return field

"""Reads the project's reference data files and writes them as rows; run by a migration.

Each file is one edition: a name, a version, from when it holds, its source, and rows. A later edition is a
new file loaded by a later migration, so an old database and a new one end with the same rows.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.apps.registry import Apps

from catalog.taxonomy.rules import Form, ServiceClassCode, unit_of

_CATALOG: Final = Path(__file__).resolve().parent.parent


def read(path: str) -> dict[str, Any]:
    """Return a data file of the catalogue, such as "sites/data/hubs.json"."""
    document: dict[str, Any] = json.loads((_CATALOG / path).read_text(encoding="utf-8"))
    return document


def load(apps: Apps) -> None:
    """Write every edition; `apps` is the registry of the migration that loads it."""
    _load_service_classes(apps, read("taxonomy/data/service_classes.json"))
    _load_resource_types(apps, read("taxonomy/data/accelerators.json"))
    _load_resource_types(apps, read("taxonomy/data/resource_types.json"))
    _load_hubs(apps, read("sites/data/hubs.json"))
    _load_metros(apps, read("sites/data/metros.json"))


def _version(apps: Apps, document: Mapping[str, Any]) -> Any:
    return apps.get_model("catalog", "ReferenceVersion").objects.create(
        name=document["name"],
        version=document["version"],
        effective_from=datetime.fromisoformat(document["effective_from"]),
        source=document["source"],
    )


def _load_service_classes(apps: Apps, document: Mapping[str, Any]) -> None:
    version = _version(apps, document)
    forms = apps.get_model("catalog", "ServiceForm")
    for row in document["service_classes"]:
        names = {name: row[name] for name in ("code", "name_en", "name_zh", "description")}
        service_class = apps.get_model("catalog", "ServiceClass").objects.create(version=version, **names)
        forms.objects.bulk_create(
            forms(service_class=service_class, unit=unit_of(form["form"]), **form) for form in row["forms"]
        )


def _load_resource_types(apps: Apps, document: Mapping[str, Any]) -> None:
    version = _version(apps, document)
    resource_types = apps.get_model("catalog", "ResourceType")
    classes = {row.code: row for row in apps.get_model("catalog", "ServiceClass").objects.all()}
    accelerators = {row.code: row for row in resource_types.objects.filter(form=Form.CARD)}
    rows = []
    for given in document["resource_types"]:
        row = {"form": Form.CARD, "confidence": "declared", **given}
        service_class = classes[row.pop("service_class", ServiceClassCode.AI_ACCELERATION)]
        accelerator = accelerators[row.pop("accelerator")] if "accelerator" in row else None
        if accelerator is not None:  # a machine of cards is searched by the memory and performance of one card
            row = {
                "memory_gb": accelerator.memory_gb,
                "fp16_dense_tflops": accelerator.fp16_dense_tflops,
                "interconnect": accelerator.interconnect,
                **row,
            }
        rows.append(
            resource_types(
                version=version,
                service_class=service_class,
                accelerator=accelerator,
                **row,
            )
        )
    resource_types.objects.bulk_create(rows)


def _load_hubs(apps: Apps, document: Mapping[str, Any]) -> None:
    version = _version(apps, document)
    hub, cluster = (
        apps.get_model("catalog", "Hub"),
        apps.get_model("catalog", "Cluster"),
    )
    hubs = {row["code"]: hub.objects.create(version=version, national=True, **row) for row in document["hubs"]}
    cluster.objects.bulk_create(
        cluster(version=version, **{**row, "hub": hubs[row["hub"]]}) for row in document["clusters"]
    )


def _load_metros(apps: Apps, document: Mapping[str, Any]) -> None:
    version = _version(apps, document)
    metro = apps.get_model("catalog", "Metro")
    metro.objects.bulk_create(metro(version=version, **row) for row in document["metros"])

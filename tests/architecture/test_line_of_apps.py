"""Foreign keys, like imports, point down the line of the apps."""

import ast

from django.apps import apps
from django.db import models

from tests.architecture.sources import LINE, of_apps

_RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField"}


def test_every_relation_points_down_the_line() -> None:
    wrong = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for label in LINE
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if field.concrete
        and isinstance(field.related_model, type)
        and field.related_model._meta.app_label in LINE
        and LINE.index(field.related_model._meta.app_label) > LINE.index(label)
    ]
    assert wrong == []


def test_string_references_name_an_app_at_or_below_their_own() -> None:
    wrong = []
    for source in of_apps():
        for node in ast.walk(source.tree()):
            if isinstance(node, ast.Call) and _called(node) in _RELATIONS:
                target = node.args[0] if node.args else None
                if isinstance(target, ast.Constant) and isinstance(target.value, str) and "." in target.value:
                    label = target.value.split(".")[0]
                    if label in LINE and LINE.index(label) > LINE.index(source.app):
                        wrong.append(f"{source.name}:{node.lineno} {target.value}")
    assert wrong == []


def test_nothing_is_deleted_because_something_else_is() -> None:
    wrong = [
        f"{model._meta.label}.{field.name}"
        for label in LINE
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey) and field.remote_field.on_delete is not models.PROTECT
    ]
    assert wrong == []


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")

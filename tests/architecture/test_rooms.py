"""A room per noun, files of a readable length, and each file with its own kind of work."""

import ast
import re

from tests.architecture.sources import LINE, ROOT, Source, of_apps, of_tests

_LONGEST_FILE_LINES = 450
_NO_HOME = {"base", "common", "core", "helpers", "kit", "lib", "misc", "shared", "tools", "utils"}
_WRITES = {"bulk_create", "bulk_update", "create", "delete", "get_or_create", "update", "update_or_create"}
_ROOM_WITHOUT_DJANGO = re.compile(r"(catalog/measures|exchange/clearing)/|/(rules|matching|charts)\.py$")


def test_nothing_lives_in_a_room_without_a_subject() -> None:
    directories = [path for app in LINE for path in (ROOT / app).rglob("*") if path.is_dir()]
    files = [source.path for source in of_apps()]
    assert [str(path) for path in [*directories, *files] if path.stem in _NO_HOME] == []


def test_no_file_is_too_long_to_read() -> None:
    long = {
        source.name: lines
        for source in (*of_apps(), *of_tests())
        if (lines := source.text.count("\n")) > _LONGEST_FILE_LINES
    }
    assert long == {}, "look for the second noun in it"


def test_every_module_says_what_it_is_about() -> None:
    assert [s.name for s in of_apps() if s.text.strip() and not ast.get_docstring(s.tree())] == []


def test_what_decides_knows_no_framework() -> None:
    foreign = {"django", "rest_framework", "celery", "psycopg", "redis"}
    wrong = [
        f"{source.name} imports {module}"
        for source in of_apps()
        if _ROOM_WITHOUT_DJANGO.search(source.name)
        for module in _imports(source)
        if module.split(".")[0] in foreign
    ]
    assert wrong == []


def test_models_do_not_act_when_they_are_saved() -> None:
    wrong = [
        f"{source.name}:{node.lineno} {kind.name}.{node.name}"
        for source in of_apps()
        if source.path.name == "models.py"
        for kind in ast.walk(source.tree())
        if isinstance(kind, ast.ClassDef)
        for node in kind.body
        if isinstance(node, ast.FunctionDef) and node.name in {"save", "delete"}
    ]
    assert wrong == []


def test_surfaces_write_through_services_only() -> None:
    wrong = [
        f"{source.name}:{node.lineno} .objects.{node.func.attr}"
        for source in of_apps()
        if source.path.name in {"api.py", "pages.py", "serializers.py", "forms.py", "admin.py"}
        for node in ast.walk(source.tree())
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _WRITES
        and isinstance(node.func.value, ast.Attribute)
        and node.func.value.attr == "objects"
    ]
    assert wrong == []


def test_services_ring_no_bell_of_their_own() -> None:
    ringing = {"delay", "apply_async"}
    wrong = [
        f"{source.name}:{node.lineno}"
        for source in of_apps()
        if source.path.name in {"services.py", "api.py", "pages.py"} and "jobs" not in source.path.parts
        for node in ast.walk(source.tree())
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ringing
    ]
    assert wrong == []


def test_no_test_is_passed_over() -> None:
    passing_over = re.compile(r"pytest\.(mark\.)?(skip|xfail|importorskip)")
    assert [source.name for source in of_tests() if passing_over.search(source.text)] == []


def _imports(source: Source) -> list[str]:
    modules: list[str] = []
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.append(node.module)
    return modules

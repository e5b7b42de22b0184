"""The description of the API: valid, complete, and read off the views without a doubt."""

from typing import Any

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from openapi_spec_validator import validate
from referencing import Registry

from accounts.foundation import ids
from tests.api.caller import Api
from tests.api.routes import api_routes

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def description() -> Any:
    """The description as anybody may fetch it."""
    GENERATOR_STATS.reset()
    response = Api().get("/v1/openapi.json")
    assert response.status_code == 200
    return response.json()


def test_it_is_valid_and_raises_no_warning(description: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    crawl, crawled = Registry.crawl, list[tuple[Any, Any]]()

    def crawl_once(self: Any) -> Any:
        # Each of thousands of references has the validator read the same dialects anew: two thirds of its time.
        if not any(registry is self for registry, _ in crawled):
            crawled.append((self, crawl(self)))
        return next(found for registry, found in crawled if registry is self)

    monkeypatch.setattr(Registry, "crawl", crawl_once)
    validate(description)

    assert description["openapi"].startswith("3.1.")
    assert not GENERATOR_STATS._warn_cache, list(GENERATOR_STATS._warn_cache)
    assert not GENERATOR_STATS._error_cache, list(GENERATOR_STATS._error_cache)


def test_it_names_every_address_and_method(description: Any) -> None:
    described = sum(
        len([method for method in item if method != "parameters"]) for item in description["paths"].values()
    )

    assert len(description["paths"]) == len({route.pattern for route in api_routes()})
    assert described == sum(len(route.methods) for route in api_routes())


def test_every_operation_says_who_may_call_and_how_it_refuses(description: Any) -> None:
    for path, item in description["paths"].items():
        for method, operation in item.items():
            assert operation["security"], (method, path)
            refused = operation["responses"]["400"]["content"]["application/problem+json"]["schema"]
            assert refused == {"$ref": "#/components/schemas/Problem"}, (method, path)


def test_what_is_named_in_a_path_or_a_body_may_be_unknown(description: Any) -> None:
    for path, method in (("/v1/orders/{order_id}", "get"), ("/v1/autopay", "post"), ("/v1/fapiao", "post")):
        assert "404" in description["paths"][path][method]["responses"], path
    assert "404" not in description["paths"]["/v1/top-ups"]["post"]["responses"]


def test_a_reader_learns_what_each_operation_parameter_and_answer_is(description: Any) -> None:
    generic = {"Answer one page", "Stream the file", "Make the change"}
    for path, item in description["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            assert operation["summary"] not in generic, (method, path)
            assert all(one["description"] for one in operation.get("parameters", [])), (method, path)
            assert all(answer["description"] for answer in operation["responses"].values()), (method, path)
    (example,) = description["components"]["schemas"]["Problem"]["examples"]
    assert example["errors"][0]["pointer"] == "#/quantity"


def test_operations_have_names_of_their_own(description: Any) -> None:
    names = [operation["operationId"] for item in description["paths"].values() for operation in item.values()]

    assert sorted(names) == sorted(set(names))


def test_ids_in_paths_are_described_as_they_are_spelled(description: Any) -> None:
    import re

    parameters = description["paths"]["/v1/projects/{project_id}/archive"]["post"]["parameters"]
    (pattern,) = [item["schema"]["pattern"] for item in parameters if item["name"] == "project_id"]
    (key,) = [item for item in parameters if item["name"] == "Idempotency-Key"]

    assert re.search(pattern, ids.spell("prj", ids.new_id()))
    assert key["required"]

"""The reference data as it stands after the migrations."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from catalog.measures import units
from catalog.offerings.rules import Fabric
from catalog.sites import queries as sites
from catalog.sites.models import Cluster, Hub
from catalog.taxonomy import queries
from catalog.taxonomy.errors import UnknownResourceType
from catalog.taxonomy.models import ReferenceVersion, ResourceType
from catalog.taxonomy.rules import unit_of

pytestmark = pytest.mark.django_db


def test_every_class_is_sold_in_its_forms_and_counted_in_a_known_unit() -> None:
    classes = {row.code: {form.form: form.unit for form in row.forms.all()} for row in queries.service_classes()}
    assert {code: set(forms) for code, forms in classes.items()} == {
        "general_compute": {"core", "machine"},
        "ai_acceleration": {"card", "machine"},
        "super_compute": {"node", "machine"},
        "storage": {"block", "file", "object"},
        "inference": {"tokens"},
    }
    for forms in classes.values():
        assert all(units.unit(unit).code == unit_of(form) for form, unit in forms.items())


def test_every_resource_type_is_in_a_form_of_its_class_and_names_its_source() -> None:
    rows = list(queries.resource_types())
    assert len(rows) > 60
    for row in rows:
        assert row.form in {form.form for form in row.service_class.forms.all()}
        assert row.version.source
        assert row.code == row.code.lower()


def test_the_card_of_the_tour_has_the_figures_of_the_tour() -> None:
    card = queries.resource_type("ascend-910b3")
    assert (card.memory_gb, card.fp16_dense_tflops) == (64, Decimal(313))


def test_a_machine_of_cards_is_searched_by_the_figures_of_one_card() -> None:
    machine = queries.resource_type("ascend-910b3-x8")
    assert machine.accelerator is not None
    assert (machine.accelerator.code, machine.accelerators_per_unit) == ("ascend-910b3", 8)
    assert (machine.memory_gb, machine.fp16_dense_tflops) == (64, Decimal(313))


def test_a_figure_that_is_not_published_is_empty_and_never_zero() -> None:
    assert queries.resource_type("s60").fp16_dense_tflops is None
    with pytest.raises(IntegrityError), transaction.atomic():
        ResourceType.objects.filter(code="s60").update(fp16_dense_tflops=0)


def test_an_unknown_resource_type_is_refused_with_the_code_seen() -> None:
    with pytest.raises(UnknownResourceType, match="abacus"):
        queries.resource_type("abacus")


def test_there_are_eight_national_hubs_with_ten_clusters_and_their_source() -> None:
    assert Hub.objects.filter(national=True, version__isnull=False).count() == 8
    assert Cluster.objects.count() == 10
    assert [hub.national for hub in sites.hubs()] == [True] * 8
    assert sites.metros().count() >= 8
    assert all(version.source for version in ReferenceVersion.objects.all())


def test_fabrics_are_spelled_as_in_the_books() -> None:
    assert {str(fabric) for fabric in Fabric} == {"roce", "ib", "nvlink", "ethernet", "none"}

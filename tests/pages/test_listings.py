"""The operator's page of what waits to be listed."""

from django.urls import reverse

from accounts.foundation import clock
from accounts.organisations.rules import Role
from catalog.sites import services as sites
from catalog.sites.models import Site
from catalog.sites.rules import SiteStatus
from catalog.sites.services import SiteSpec
from tests.exchange.cast import Story
from tests.pages.visitors import signed_in


def test_a_data_centre_that_waits_is_listed_with_a_button(story: Story) -> None:
    operator = signed_in(story.operator, Role.PLATFORM_ADMIN)
    assert b"Data centres that wait" not in operator.get(reverse("listings")).content
    spec = SiteSpec(code="new-1", name="New Harbour", hub="cn-jingjinji", security_level=3)
    site = sites.propose(story.huailai, spec, now=clock.now())
    sites.submit(story.huailai, site.id, now=clock.now())
    assert b"New Harbour" in operator.get(reverse("listings")).content

    listed = operator.post(reverse("site_list", args=[site.id]), follow=True)
    assert b"New Harbour is now listed." in listed.content
    assert Site.objects.get(pk=site.id).status == SiteStatus.LISTED

    again = operator.post(reverse("site_list", args=[site.id]), follow=True)
    assert b"message error" in again.content

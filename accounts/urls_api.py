"""Addresses of the accounts API, under /v1/."""

from django.urls import path

from accounts.audit.api import AuditRecords
from accounts.events.api import Events
from accounts.keys.api import Keys, OneKey
from accounts.organisations.api import (
    Admission,
    Me,
    Members,
    OneMember,
    Organisations,
    OwnOrganisation,
    Reinstatement,
    Suspension,
)
from accounts.projects.api import ProjectArchival, Projects

urlpatterns = [
    path("me", Me.as_view(), name="api_me"),
    path("organisation", OwnOrganisation.as_view(), name="api_organisation"),
    path("organisations", Organisations.as_view(), name="api_organisations"),
    path("organisations/<org:organisation_id>/admit", Admission.as_view(), name="api_organisation_admit"),
    path("organisations/<org:organisation_id>/suspend", Suspension.as_view(), name="api_organisation_suspend"),
    path("organisations/<org:organisation_id>/reinstate", Reinstatement.as_view(), name="api_organisation_reinstate"),
    path("members", Members.as_view(), name="api_members"),
    path("members/<mem:membership_id>", OneMember.as_view(), name="api_member"),
    path("projects", Projects.as_view(), name="api_projects"),
    path("projects/<prj:project_id>/archive", ProjectArchival.as_view(), name="api_project_archive"),
    path("api-keys", Keys.as_view(), name="api_keys_list"),
    path("api-keys/<key:key_id>", OneKey.as_view(), name="api_key"),
    path("events", Events.as_view(), name="api_events"),
    path("audit-records", AuditRecords.as_view(), name="api_audit_records"),
]

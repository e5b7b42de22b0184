"""Addresses of the pages of accounts."""

from django.urls import path

from accounts.invitations import pages as invitations
from accounts.keys import pages as keys
from accounts.organisations import pages as organisations
from accounts.signin import pages as signin

urlpatterns = [
    path("sign-in", signin.sign_in, name="sign_in"),
    path("sign-out", signin.sign_out, name="sign_out"),
    path("choose-organisation", signin.choose_organisation, name="choose_organisation"),
    path("members", organisations.members_page, name="members"),
    path("members/<mem:membership_id>/remove", organisations.remove_member, name="remove_member"),
    path("invitations/<ivt:invitation_id>/withdraw", organisations.withdraw_invitation, name="withdraw_invitation"),
    path("invitation/<slug:secret>", invitations.accept, name="accept_invitation"),
    path("organisations", organisations.organisations_page, name="organisations"),
    path("organisations/<org:organisation_id>/<slug:decision>", organisations.decide, name="decide_organisation"),
    path("api-keys", keys.keys_page, name="api_keys"),
    path("api-keys/<key:key_id>/revoke", keys.revoke_key, name="revoke_key"),
]

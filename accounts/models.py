"""Every model of the app, from the rooms where they live."""

from accounts.audit.models import AuditChain as AuditChain
from accounts.audit.models import AuditLink as AuditLink
from accounts.audit.models import AuditRecord as AuditRecord
from accounts.events.models import Event as Event
from accounts.idempotency.models import IdempotencyRecord as IdempotencyRecord
from accounts.invitations.models import Invitation as Invitation
from accounts.jobs.models import Job as Job
from accounts.keys.models import ApiKey as ApiKey
from accounts.organisations.models import LegalEntity as LegalEntity
from accounts.organisations.models import Membership as Membership
from accounts.organisations.models import Organisation as Organisation
from accounts.organisations.models import User as User
from accounts.projects.models import Project as Project
from accounts.signin.models import SignInWindow as SignInWindow

"""What a person says of a message that is of no concern here."""

from django.utils.translation import gettext_lazy as _

from accounts.web.forms import StrictForm, StrictText


class SetAsideForm(StrictForm):
    """Why."""

    reason = StrictText(label=_("Why it is of no concern here"), max_length=200)

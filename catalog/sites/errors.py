"""What sites decline."""

from accounts.foundation.errors import Conflict, Invalid, NotFound, mismatch


class SiteNotFound(NotFound):
    """There is no such site, or not for this caller."""

    code = "site_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such site.")


class SiteCodeTaken(Conflict):
    """Another site has the code."""

    code = "site_code_taken"

    def __init__(self, given: str) -> None:
        super().__init__(f"There is a site {given} already; choose another code.")


class SiteMoveRefused(Conflict):
    """The site's state does not allow the change."""

    code = "site_move_refused"

    def __init__(self, before: str, after: str) -> None:
        super().__init__(f"A {before} site cannot become {after}.")


class UnknownHub(Invalid):
    """No hub has this code."""

    code = "unknown_hub"

    def __init__(self, given: str) -> None:
        super().__init__(mismatch(given, "the code of a hub, see /v1/hubs"))


class UnknownCluster(Invalid):
    """The hub has no cluster of this code."""

    code = "unknown_cluster"

    def __init__(self, given: str, hub: str) -> None:
        super().__init__(mismatch(given, f"the code of a cluster of {hub}, see /v1/hubs"))


class UnknownMetro(Invalid):
    """No metro has this code."""

    code = "unknown_metro"

    def __init__(self, given: str) -> None:
        super().__init__(mismatch(given, "the code of a metro, see /v1/metros"))

"""The WSGI entry point that web servers load."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from config import garbage

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# Loaded now and not by the first request: a mistake in an address stops the start, and the web
# server's processes share what its parent has loaded.
_ = get_resolver().url_patterns
garbage.leave_what_is_loaded()

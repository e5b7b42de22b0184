"""How often sign-in was tried lately."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from accounts.foundation import strict


class SignInWindow(models.Model):
    """Tries of one subject (an address or a network address, hashed) within one window of time."""

    subject_sha256 = models.BinaryField(max_length=32)
    started_at = models.DateTimeField()
    tries = models.PositiveIntegerField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["subject_sha256", "started_at"], name="sign_in_window_once"),
            models.CheckConstraint(
                condition=Q(started_at__gte=strict.EARLIEST, started_at__lt=strict.LATEST),
                name="sign_in_window_in_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tries} since {self.started_at}"

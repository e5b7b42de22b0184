"""Let a round be given up only by two people: one asks, another confirms."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import accounts.foundation.ids
import exchange.rounds.rules
from accounts.foundation import guards
from exchange.rounds.rules import VOID_MOVES

# The clock voids what its gate has passed unattended; a book that was frozen, or a gate to come, only people give up.
CHECK_VOID = """
CREATE FUNCTION exchange_check_void() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status = 'void' AND OLD.status <> 'void'
        AND (OLD.status NOT IN ('open', 'locked') OR NEW.voided_at < NEW.scheduled_at)
        AND NOT EXISTS (
            SELECT FROM exchange_roundvoidrequest
            WHERE round_id = NEW.id AND state = 'confirmed' AND decided_by_id <> requested_by_id
        ) THEN
        RAISE EXCEPTION 'round % is given up without two people', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER exchange_round_void_takes_two_people BEFORE UPDATE OF status ON exchange_round
    FOR EACH ROW EXECUTE FUNCTION exchange_check_void();
"""
UNCHECK_VOID = """
DROP TRIGGER exchange_round_void_takes_two_people ON exchange_round;
DROP FUNCTION exchange_check_void();
"""


class Migration(migrations.Migration):
    """The wish, its moves, and a trigger over rounds."""

    dependencies = [
        ("exchange", "0011_publish_blinded_digests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="RoundVoidRequest",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=accounts.foundation.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("reason", models.CharField(max_length=500)),
                (
                    "state",
                    models.CharField(
                        choices=[("asked", "asked"), ("confirmed", "confirmed"), ("declined", "declined")],
                        max_length=16,
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(null=True)),
                (
                    "decided_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "round",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="void_requests", to="exchange.round"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["asked", "confirmed", "declined"])),
                        name="void_request_state_is_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="void_request_has_a_reason"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("decided_at__isnull", True),
                                ("decided_by__isnull", True),
                                ("state", exchange.rounds.rules.VoidState["ASKED"]),
                            ),
                            models.Q(
                                models.Q(("state", exchange.rounds.rules.VoidState["ASKED"]), _negated=True),
                                ("decided_at__isnull", False),
                                ("decided_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="void_request_decided_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", exchange.rounds.rules.VoidState["CONFIRMED"]), _negated=True),
                            models.Q(("decided_by", models.F("requested_by")), _negated=True),
                            _connector="OR",
                        ),
                        name="void_request_takes_two_people",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("state", exchange.rounds.rules.VoidState["ASKED"])),
                        fields=("round",),
                        name="void_request_one_at_a_time",
                    ),
                ],
            },
        ),
        guards.moves("exchange_roundvoidrequest", "state", VOID_MOVES),
        migrations.RunSQL(CHECK_VOID, UNCHECK_VOID),
    ]

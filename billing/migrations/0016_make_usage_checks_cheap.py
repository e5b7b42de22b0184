"""Say the same, and more, of usage events with checks that cost a third: they are paid for each event.

One key to the metering point with its contract and provider takes the place of three single ones, so that an event
cannot name another point's contract; the project's key goes with the contract's. Times are compared with hours
(an interval of days has to ask the session's zone), and a hash is looked at without a regular expression.
"""

from typing import ClassVar

from django.db import migrations

FORWARD = """
ALTER TABLE billing_meteringpoint
    ADD CONSTRAINT metering_point_of_its_parties UNIQUE (id, contract_id, provider_id);
ALTER TABLE billing_contract ADD CONSTRAINT contract_of_its_project UNIQUE (id, project_id);
ALTER TABLE billing_usageevent
    DROP CONSTRAINT billing_usageevent_organisation_id_fkey,
    DROP CONSTRAINT billing_usageevent_metering_point_id_fkey,
    DROP CONSTRAINT billing_usageevent_contract_id_fkey,
    DROP CONSTRAINT billing_usageevent_project_id_fkey,
    DROP CONSTRAINT usage_event_neither_early_nor_old,
    DROP CONSTRAINT usage_event_hash_shape,
    ADD CONSTRAINT usage_event_of_its_point FOREIGN KEY (metering_point_id, contract_id, organisation_id)
        REFERENCES billing_meteringpoint (id, contract_id, provider_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT usage_event_of_its_project FOREIGN KEY (contract_id, project_id)
        REFERENCES billing_contract (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT usage_event_neither_early_nor_old CHECK (
        occurred_at <= received_at + interval '5 minutes' AND occurred_at >= received_at - interval '840 hours'
        AND ends_at <= received_at + interval '5 minutes'
    ),
    ADD CONSTRAINT usage_event_hash_shape CHECK (
        length(payload_hash) = 64 AND translate(payload_hash, '0123456789abcdef', '') = ''
    );
"""
BACKWARD = """
ALTER TABLE billing_usageevent
    DROP CONSTRAINT usage_event_of_its_point,
    DROP CONSTRAINT usage_event_of_its_project,
    DROP CONSTRAINT usage_event_neither_early_nor_old,
    DROP CONSTRAINT usage_event_hash_shape,
    ADD CONSTRAINT billing_usageevent_organisation_id_fkey FOREIGN KEY (organisation_id)
        REFERENCES accounts_organisation (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT billing_usageevent_metering_point_id_fkey FOREIGN KEY (metering_point_id)
        REFERENCES billing_meteringpoint (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT billing_usageevent_contract_id_fkey FOREIGN KEY (contract_id)
        REFERENCES billing_contract (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT billing_usageevent_project_id_fkey FOREIGN KEY (project_id)
        REFERENCES accounts_project (id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT usage_event_neither_early_nor_old CHECK (
        occurred_at <= received_at + interval '5 minutes' AND occurred_at >= received_at - interval '35 days'
        AND ends_at <= received_at + interval '5 minutes'
    ),
    ADD CONSTRAINT usage_event_hash_shape CHECK (payload_hash ~ '^[0-9a-f]{64}$');
ALTER TABLE billing_meteringpoint DROP CONSTRAINT metering_point_of_its_parties;
ALTER TABLE billing_contract DROP CONSTRAINT contract_of_its_project;
"""


class Migration(migrations.Migration):
    """Other checks of the same table."""

    dependencies: ClassVar = [("billing", "0015_load_coefficients")]

    operations: ClassVar = [migrations.RunSQL(FORWARD, BACKWARD)]

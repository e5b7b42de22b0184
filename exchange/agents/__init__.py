"""The simulated provider agent: delivers leases as a program beside a cluster would."""

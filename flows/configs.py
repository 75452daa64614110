"""What configures each flow, and what flows give to components: light, for completion as for everything else."""

CONFIGS = {
    "translate-train": "spanferry.flows.config:RunConfig",
    "project": "spanferry.flows.config:RunConfig",
    "parallel": "spanferry.flows.sets.config:ParallelConfig",
    "derive": "spanferry.flows.sets.config:DeriveConfig",
    "code-switch": "spanferry.flows.switch.config:SwitchConfig",
    "apply-decisions": "spanferry.flows.review.apply:ApplyConfig",
}
"""The configuration of each flow; its keys are the flow's options."""

GIVEN = frozenset({"path", "lang", "translator", "translators", "seed", "source_lang", "target_lang"})
"""What the flow gives to a component itself; everything else is the user's to set."""

"""No constraint."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from spanferry.corpora.switching.batches.base import Candidates, Units
from spanferry.corpora.switching.batches.batch import SwitchBatch


@dataclass(frozen=True)
class NoConstraint:
    """Every unit may be switched."""

    name: ClassVar[str] = "none"

    def allowed(self, batch: SwitchBatch, units: Units, candidates: Candidates) -> np.ndarray:
        """See ``Constraint.allowed``."""
        return np.ones(len(candidates), bool)

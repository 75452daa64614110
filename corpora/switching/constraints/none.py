"""No constraint."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from corpora.switching.base import Candidates, Units
from corpora.switching.batch import SwitchBatch


@dataclass(frozen=True)
class NoConstraint:
    """Every unit may be switched."""

    name: ClassVar[str] = "none"

    def allowed(self, batch: SwitchBatch, units: Units, candidates: Candidates) -> np.ndarray:
        """See ``Constraint.allowed``."""
        return np.ones(len(candidates), bool)

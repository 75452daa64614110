"""Units are switched with a probability, each by itself."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from spanferry.corpora.switching.batches import chance
from spanferry.corpora.switching.batches.measure import Choice


@dataclass(frozen=True)
class ProbabilitySampler:
    """A row is chosen with probability ``ratio``, each of its units with ``cross`` (CoSDA-ML; Qin et al., IJCAI 2020).

    Only units that have a counterpart are drawn for, so the true rate among all units is lower: the report gives it.

    Attributes:
        ratio: Share of the rows.
        cross: Share of the units in a chosen row; ``uniform``: each language is as likely as the matrix language.
    """

    name: ClassVar[str] = "probability"

    ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    cross: Annotated[float, Field(ge=0, le=1)] | Literal["uniform"] = 0.5

    def choose(self, choice: Choice) -> tuple[np.ndarray, np.ndarray]:
        """See ``Sampler.choose``."""
        n = len(choice.batch.languages)
        cross = n / (n + 1) if self.cross == "uniform" else self.cross
        row = chance.uniform(choice.item_keys, chance.ROW) < self.ratio
        unit = chance.uniform(choice.keys, chance.UNIT) < cross
        return unit & row[choice.units.item], np.ones(len(choice.words), bool)

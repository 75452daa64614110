"""Derived sets made for tests."""

import pyarrow as pa

from spanferry.corpora.derive import open_derivation


def derive(kind, rows, translators=None, seed=0, **options):
    """The records of a kind; kept ones fit its schema."""
    derivation = open_derivation(kind, options, seed=seed, translators=translators)
    records = list(derivation.derive(rows))
    kept = [{"id": r.id, **r.values} for r in records if not r.reasons]
    assert pa.Table.from_pylist(kept, schema=derivation.schema).to_pylist() == kept, "no column is missing or dropped"
    assert all(not r.values for r in records if r.reasons)
    assert len({r.id for r in records}) == len(records), "ids are unique"
    return records

"""Stage files of translations."""

from dataclasses import replace

from spanferry.corpora.schema import Translation
from spanferry.projectors.pipeline import stages


def test_translations_come_back_and_so_do_those_of_an_earlier_version() -> None:
    made = [
        Translation("Hola.", ("▁Hola", "."), -0.5, terms=(("hello", "hola"),)),
        Translation("", reason="empty_output"),
    ]
    table = stages.translations_to_table(made)
    assert stages.translations_from_table(table) == made
    earlier = table.drop_columns("terms")
    assert stages.translations_from_table(earlier) == [replace(one, terms=()) for one in made]

"""F1 of `default`, without a model, on markup that translators placed: every label, and keys alone.

    python tests/bench/gnome_help.py [--data ../shared/data] [--language de --language ja]

The keys of a chord touch without a blank between them (`AltF2` is two spans), so that spans end inside words.
"""

import argparse
from pathlib import Path

from spanferry.corpora.readers import open_reader
from spanferry.projectors.evaluation.gold import read_gold
from spanferry.projectors.evaluation.judge import inputs_to_fit, judge
from spanferry.projectors.methods.default import DefaultProjector
from spanferry.projectors.placing.parts import project_in_parts

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("cs", "de", "es", "fr", "ja", "pt-BR", "ru", "zh-CN")


def main() -> None:
    """Prints a line for each language."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--language", action="append", choices=LANGUAGES)
    options = parser.parse_args()
    print(f"{'':<8}{'spans':>7}{'F1':>7}{'key':>7}{'ECE':>7}  not placed")
    for language in options.language or LANGUAGES:
        files = [options.data / "gnome-help" / f"en-{language}.{side}.jsonl.gz" for side in ("en", language)]
        readers = [
            open_reader(file, lang=lang, format="jsonl") for file, lang in zip(files, ("en", language), strict=True)
        ]
        gold = read_gold(*readers, name=f"gnome-help-{language}", pair_by="id")
        projector = DefaultProjector(source_lang="en", target_lang=language).fit(inputs_to_fit(gold))
        found = judge(gold, project_in_parts(projector.project, gold.inputs))
        key = found.by_label()["key"].f1
        numbers = f"{len(found.verdicts):>7}{found.exact.f1:>7.3f}{key:>7.3f}{found.calibration_error:>7.3f}"
        print(f"{language:<8}{numbers}  {found.reasons()}", flush=True)


if __name__ == "__main__":
    main()

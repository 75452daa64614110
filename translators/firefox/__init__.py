"""Firefox Translations: Mozilla's small student models, run on the CPU by the package ``fxtranslate``."""

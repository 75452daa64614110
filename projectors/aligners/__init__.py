"""Word aligners behind one protocol."""

ALIGNERS = {
    "lexical": "spanferry.projectors.aligners.lexical.aligner:LexicalAligner",
    "attention": "spanferry.projectors.aligners.attention:AttentionAligner",
    "encoder": "spanferry.projectors.aligners.encoder.aligner:EncoderAligner",
    "translation-encoder": "spanferry.projectors.aligners.translation_encoder:TranslationEncoderAligner",
    "simalign": "spanferry.projectors.aligners.simalign:SimalignAligner",
    "eflomal": "spanferry.projectors.aligners.eflomal.aligner:EflomalAligner",
    "mixture": "spanferry.projectors.aligners.mixture:MixtureAligner",
}

"""Word aligners behind one protocol."""

ALIGNERS = {
    "lexical": "projectors.aligners.lexical:LexicalAligner",
    "attention": "projectors.aligners.attention:AttentionAligner",
    "encoder": "projectors.aligners.encoder:EncoderAligner",
    "simalign": "projectors.aligners.simalign:SimalignAligner",
    "eflomal": "projectors.aligners.eflomal:EflomalAligner",
    "mixture": "projectors.aligners.mixture:MixtureAligner",
}

"""Word aligners behind one protocol."""

ALIGNERS = {
    "lexical": "projectors.aligners.lexical:LexicalAligner",
    "attention": "projectors.aligners.attention:AttentionAligner",
    "eflomal": "projectors.aligners.eflomal:EflomalAligner",
}

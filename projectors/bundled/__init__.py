"""The bundled aligner: a small multilingual encoder, its weights, and the recipe that makes them."""

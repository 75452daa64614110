"""The inspector: a local web page on which people look at projected labels and correct them."""

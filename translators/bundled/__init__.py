"""The recipe and the weights of the translation models that ship with the package."""

"""Shell completion of component names and option keys. It imports no component: what they declare is read as text."""

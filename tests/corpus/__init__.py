"""Functions as scientists write them in notebooks, to try the engine on: see ``registry``."""

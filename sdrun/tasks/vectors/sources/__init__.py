"""Every module here is a dataset of vectors, ``dataset.name``, with one function ``load(settings)``."""

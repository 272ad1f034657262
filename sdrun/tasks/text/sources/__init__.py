"""Every module here is a dataset of texts, ``dataset.name``, with one function ``load(settings)``."""

"""Every module here is a dataset of images, ``dataset.name``, with one function ``load(settings)``."""

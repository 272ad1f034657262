"""What others add: methods, models, datasets and tasks, in a file, a folder or an installed package. Imports no torch.

A plugin registers functions by decorators, or has rooms as sdrun has them: the folders ``methods``, ``models`` and
``tasks``, and choices of settings in ``conf``. It is named on the command line or in the environment, never by
settings.
"""

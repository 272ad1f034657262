"""``python -m sdrun`` is ``sdrun``."""

import sys

from sdrun.cli import main

sys.exit(main())

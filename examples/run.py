"""sdrun, which also finds the methods of this folder."""

import sys
from pathlib import Path

from sdrun import cli, methods

methods.__path__.append(str(Path(__file__).resolve().parent))
sys.exit(cli.main())

"""Short sentences of praise and complaint, written for sdrun."""

from pathlib import Path

from sdrun.data.labelled import Published
from sdrun.errors import require
from sdrun.tasks.text.settings import TextSettings
from sdrun.tasks.text.table import Columns, read_table
from sdrun.tasks.text.texts import TEXTS

COLUMNS = Columns("text", "label", "part", "comma")


def load(settings: TextSettings) -> Published:
    require(settings.root is None, "dataset.root", "has no effect with the embedded sentences")
    table = read_table(Path(__file__).parent.parent / "sentences.csv", COLUMNS, "dataset.root")
    train, test = table.take(~table.is_test), table.take(table.is_test)
    classes = train.classes()
    return Published(train.labelled(classes), test.labelled(classes), classes, TEXTS)

"""Ships what the search of a study found: python scripts/ship_search.py DIR, of `mercato lab run --out DIR`."""

import sys
from pathlib import Path

from mercato.lab import shipped
from mercato.lab.archive import Archive

if __name__ == "__main__":
    shipped.ship(Archive(Path(sys.argv[1])), Path(shipped.__file__).with_name(shipped.SHIPPED))

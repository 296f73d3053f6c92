"""What the package's build runs first: the contracts are compiled, the browser half is bundled.

MERCATO_SKIP_WEB=1 skips the browser half, for jobs that show no page.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Hook(BuildHookInterface[Any]):
    """Runs as part of the wheel, and of an editable install."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Builds what is not kept in the repository; a source archive needs none of it."""
        if self.target_name != "wheel":
            return
        sys.path.insert(0, self.root)
        import build_contracts
        import build_web

        build_contracts.build(Path(self.root))
        if not os.environ.get("MERCATO_SKIP_WEB"):
            build_web.build(Path(self.root))

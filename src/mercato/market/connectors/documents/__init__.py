"""Documents for mindshare: posts, messages and articles from files and public sources.

Importing this registers the parsers `documents.*`.
"""

from mercato.market.connectors.documents import jsonl, table
from mercato.market.connectors.documents.posts import Engager, Page, Post

__all__ = ["Engager", "Page", "Post", "jsonl", "table"]

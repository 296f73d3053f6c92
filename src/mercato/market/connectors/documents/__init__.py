"""Documents for mindshare: posts, messages and articles from files and public sources.

Importing this registers the parsers `documents.*`.
"""

from mercato.market.connectors.documents import bluesky, feeds, jsonl, table, xsearch
from mercato.market.connectors.documents.posts import Engager, Page, Post

__all__ = ["Engager", "Page", "Post", "bluesky", "feeds", "jsonl", "table", "xsearch"]

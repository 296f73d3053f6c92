"""Reads XML from outside into a small tree, with the standard library's expat and nothing it could be tricked with.

No document type is accepted, so there are no entities to expand and nothing outside to fetch; size, depth and the
number of elements are limited. The input is fed in small pieces until the root element begins, so that a hostile
prolog is refused before it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat  # only this module parses XML, and it refuses document types

MOST_BYTES = 16_000_000
MOST_ELEMENTS = 200_000
DEEPEST = 64
_PROLOG = 512


@dataclass(slots=True)
class Element:
    """One element: `name` is `namespace name` with a blank between (no namespace: the bare name)."""

    name: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Returns the text of this element alone, without that of its children."""
        return "".join(self.pieces).strip()

    @property
    def local(self) -> str:
        """Returns the name without its namespace."""
        return self.name.rpartition(" ")[2]

    def each(self, *names: str) -> Iterator[Element]:
        """Yields the children with one of these local names."""
        return (child for child in self.children if child.local in names)

    def first(self, *names: str) -> str:
        """Returns the text of the first child, in the order of `names`, that has some; '' where none has."""
        for name in names:
            for child in self.each(name):
                if child.text:
                    return child.text
        return ""


class _Tree:
    def __init__(self) -> None:
        self.root: Element | None = None
        self.open: list[Element] = []
        self.elements = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.elements += 1
        if self.elements > MOST_ELEMENTS or len(self.open) >= DEEPEST:
            raise ValueError(f"the XML had more than {MOST_ELEMENTS} elements or was nested deeper than {DEEPEST}")
        element = Element(name, attributes)
        if self.open:
            self.open[-1].children.append(element)
        else:
            self.root = element
        self.open.append(element)

    def end(self, _: str) -> None:
        self.open.pop()

    def data(self, text: str) -> None:
        if self.open:
            self.open[-1].pieces.append(text)


def _refuse(*_: object) -> None:
    raise ValueError("the XML declared a document type, which feeds do not need and attackers use")


def tree(content: bytes) -> Element:
    """Returns the root element. Raises ValueError for anything that is not plain, well-formed XML within the limits."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"the XML had {len(content)} bytes, more than {MOST_BYTES}")
    found = _Tree()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = found.start
    parser.EndElementHandler = found.end
    parser.CharacterDataHandler = found.data
    at = 0
    try:
        while found.root is None and at < len(content):
            parser.Parse(content[at : at + _PROLOG], False)
            at += _PROLOG
        parser.Parse(content[at:], True)
    except expat.ExpatError as error:
        raise ValueError(f"the XML was not well formed: {error}") from None
    except LookupError as error:
        raise ValueError(f"the XML named an encoding that is unknown: {error}") from None
    if found.root is None:
        raise ValueError("the XML held no element")
    return found.root

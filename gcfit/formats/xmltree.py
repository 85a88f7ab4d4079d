"""XML as a tree of plain elements, parsed within bounds."""

from collections.abc import Container
from dataclasses import dataclass, field

from gcfit.errors import InputError
from gcfit.formats.source import Source

_DEEPEST = 60
_MOST = 200_000  # elements; a run of 4 hours with 83 peaks has 8,000


@dataclass
class Node:
    """An element with its attributes, its text where that is kept, and its children."""

    tag: str
    attributes: dict[str, str]
    parts: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    def all(self, tag: str) -> list["Node"]:
        """Return the children of this name."""
        return [child for child in self.children if child.tag == tag]

    def under(self, tag: str) -> list["Node"]:
        """Return the elements of this name at any depth."""
        return [node for child in self.children for node in ([child] if child.tag == tag else child.under(tag))]

    def text(self, tag: str) -> str:
        """Return the text of the first element of this name at any depth, empty where there is none."""
        return next(("".join(node.parts) for node in self.under(tag)), "")


def parse(source: Source, content: bytes, kept: Container[str]) -> Node:
    """Parse XML; entities are refused, and so are deep nesting and more elements than a chromatogram has.

    Parameters
    ----------
    kept : container of str
        Names of the elements whose text is wanted.

    Raises
    ------
    InputError
        If this is no valid XML.
    """
    from xml.parsers import expat

    root = Node("", {})
    path = [root]
    count = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(path) > _DEEPEST:
            raise refused(f"more than {_DEEPEST} elements within one another")
        if count > _MOST:
            raise refused(f"more than {_MOST} elements, which no chromatogram needs")
        node = Node(tag, attributes)
        path[-1].children.append(node)
        path.append(node)

    def end(tag: str) -> None:
        path.pop()

    def text(part: str) -> None:
        if path[-1].tag in kept:
            path[-1].parts.append(part)

    def entity(*_: object) -> None:
        raise refused("declares entities, which no chromatogram needs")

    def refused(found: str) -> InputError:
        return source.error(found, place=f"line {parser.CurrentLineNumber}")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.EntityDeclHandler = entity
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the latter of encodings
        raise source.error(f"is no valid XML: {error}") from error
    return root

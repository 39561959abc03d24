"""The errors of this package: one, and its special case of signatures."""

from protocols.duis.identifiers import RequestId
from protocols.errors import InputError


class DuisError(InputError):
    """A DUIS document is not what the schema allows; the text is one line and names what and where.

    line, column: of the document, from 1; None where no place can be named. element: local name of the element at
    fault. request_id: of a well-formed document whose header could still be read, so that an answer can name it.
    service: its ServiceReferenceVariant, where that is one of DUIS.
    """

    def __init__(
        self,
        what: str,
        *,
        line: int | None = None,
        column: int | None = None,
        element: str | None = None,
        request_id: RequestId | None = None,
        service: str | None = None,
    ) -> None:
        places = [
            f"line {line}" if line is not None else "",
            f"column {column}" if column is not None else "",
            f"element {element}" if element is not None else "",
        ]
        where = ", ".join(place for place in places if place)
        text = " ".join(what.split())
        super().__init__(f"{where}: {text}" if where else text)
        self.what, self.line, self.column, self.element, self.request_id = text, line, column, element, request_id
        self.service = service


class SignatureError(DuisError):
    """The XML signature of a document is missing, not in the profile of the interface, or does not verify."""

"""The API's functions as MCP tools, at /mcp; where the package `mcp` is installed."""

from typing import TYPE_CHECKING, Annotated, Any

from space.api import find_pictures, find_record, find_rows
from space.table import CONTENTS, TRACKS_SHOWN

if TYPE_CHECKING:
    from mcp.server.fastmcp import FastMCP

    from space.shop import Shop

PATH = "/mcp"


def build_tools(shop: "Shop") -> "FastMCP":
    """Return the server of the three tools; each answers what the API's function does, as JSON."""
    from anyio.to_thread import run_sync
    from mcp.server.fastmcp import FastMCP
    from mcp.server.transport_security import TransportSecuritySettings
    from mcp.types import ToolAnnotations
    from pydantic import Field

    track_field = Field(description="which board", json_schema_extra={"enum": [*TRACKS_SHOWN]})
    content_field = Field(description="of which images", json_schema_extra={"enum": [*CONTENTS]})
    id_field = Field(description="20 hex digits, the `request` of a row", max_length=40)
    # What is public is read, whatever name this machine is called by.
    any_host = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    server = FastMCP(
        "CMC-Bench",
        stateless_http=True,
        json_response=True,
        streamable_http_path=PATH,
        transport_security=any_host,
        log_level="WARNING",
    )
    reads = ToolAnnotations(readOnlyHint=True, openWorldHint=False)

    @server.tool(annotations=reads)
    async def rows(
        track: Annotated[str, track_field] = "t2i-ulb",
        content: Annotated[str, content_field] = "all",
    ) -> list[dict[str, Any]]:
        """Return a board's rows, best first; rows of equal `bench` may be compared."""
        return await run_sync(find_rows, shop, track, content)

    @server.tool(annotations=reads)
    async def record(request_id: Annotated[str, id_field]) -> dict[str, Any]:
        """Return a finished request's scores by mode and content, rates, costs and provenance."""
        return await run_sync(find_record, shop, request_id)

    @server.tool(annotations=reads)
    async def pictures(request_id: Annotated[str, id_field]) -> list[dict[str, Any]]:
        """Return a run's captions, bits, scores, and paths of pictures on this server."""
        return await run_sync(find_pictures, shop, request_id)

    return server

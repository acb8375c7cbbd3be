"""The tables of requests and their history."""

from pathlib import Path

from dataset_cards.schema import Column, Config, Dataset
from protocol.states import Status

REQUEST_ID = Column("request_id", "string", "20 hex digits: a hash of what decides the result")
_SYSTEM = "`ADAPTER:MODEL@REVISION?SETTINGS`; empty where there is none"
PAIR = (
    Column("role", "string", "what is compared: `T2I`, `I2T` or `codec`"),
    Column("label", "string", "the system that is compared, as the board names it"),
    Column("partner", "string", "the other half of the pair; empty for a codec"),
    Column("i2t", "string", _SYSTEM),
    Column("t2i", "string", _SYSTEM),
    Column("codec", "string", _SYSTEM),
)

ASKED = Config(
    name="requests",
    about="What was asked and where it stands: a row a request.",
    columns=(
        REQUEST_ID,
        *PAIR,
        Column("modes", "strings", "the modes asked for"),
        Column("protocol", "string", "version of the protocol"),
        Column("dataset", "string", "what the pictures are called"),
        Column("dataset_sha256", "string", "over names and contents of the pictures"),
        Column("submitter", "string", "who asked"),
        Column("submitted_at", "string", "UTC, ISO 8601"),
        Column("status", "string", " or ".join(f"`{status}`" for status in Status)),
        Column("attempt", "int32", "how often it was claimed"),
        Column("worker", "string", "who holds or last held it"),
        Column("failure_code", "string", "class of the error; empty without one"),
        Column("failure_stage", "string", "where it failed; empty without an error"),
        Column("failure_message", "string", "for people; empty without an error"),
        Column("updated_at", "string", "UTC, ISO 8601; empty before the first event"),
        Column("record", "string", "the request as JSON, whole"),
    ),
)

EVENTS = Config(
    name="events",
    about="What happened, oldest first: a row an event. The store's ledger chains them.",
    columns=(
        REQUEST_ID,
        Column("version", "int32", "number of the event in its request's history, from 1"),
        Column("action", "string", "what happened: SUBMIT, CLAIM, RENEW, FINISH, …"),
        Column("status", "string", "what the event led to"),
        Column("actor", "string", "who"),
        Column("reason", "string", "why"),
        Column("attempt", "int32", "how often the request was claimed by then"),
        Column("at", "string", "UTC, ISO 8601"),
    ),
)

REQUESTS = Dataset(name="CMC-Bench-requests", folder=Path(__file__).parent, configs=(ASKED, EVENTS))

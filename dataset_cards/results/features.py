"""The tables of results."""

from pathlib import Path

from dataset_cards.requests.features import PAIR, REQUEST_ID
from dataset_cards.schema import Column, Config, Dataset

AGGREGATES = Config(
    name="aggregates",
    about="Means: a row a result, mode, dimension and content.",
    columns=(
        REQUEST_ID,
        *PAIR,
        Column("protocol", "string", "version of the protocol"),
        Column("dataset", "string", "what the pictures are called"),
        Column("source", "string", "`verified` (run by the benchmark) or `self-reported`"),
        Column("mode", "string", "what was sent"),
        Column("dimension", "string", "`fr`: consistency; `nr`: perception"),
        Column("indicator", "string", "what gave the scores"),
        Column("weights_sha256", "string", "of the indicator's weights; empty without"),
        Column("content", "string", "`NSI`, `SCI`, `AIGI`, or `all`"),
        Column("images", "int32", "pictures in the group"),
        Column("not_scored", "int32", "pictures of the group without a score"),
        Column("mean", "float64", "higher is better; none when a picture was not scored", True),
        Column("bits_per_pixel", "float64", "mean of 8 x file bytes / pixels of the ground truth"),
        Column("file_bytes", "float64", "mean length of the files"),
        Column("encode_seconds", "float64", "mean over all contents, where it was first made"),
        Column("decode_seconds", "float64", "mean over all contents, where it was first made"),
        Column("device", "string", "what it was computed on"),
        Column("code_version", "string", "of this program"),
        Column("finished_at", "string", "UTC, ISO 8601"),
        Column("per_image_sha256", "string", "of the per-image file that the means are from"),
    ),
)

PER_IMAGE = Config(
    name="per_image",
    about="Scores: a row a picture, mode and indicator.",
    columns=(
        REQUEST_ID,
        Column("name", "string", "file name of the ground truth"),
        Column("content", "string", "`NSI`, `SCI` or `AIGI`"),
        Column("source", "string", "where the ground truth is from"),
        Column("mode", "string", "what was sent"),
        Column("dimension", "string", "`fr`: consistency; `nr`: perception"),
        Column("indicator", "string", "what gave the score"),
        Column("score", "float64", "higher is better; none when there is none", optional=True),
        Column("status", "string", "`scored`, or why not"),
        Column("width", "int64", "of the ground truth, pixels"),
        Column("height", "int64", "of the ground truth, pixels"),
        Column("working_width", "int64", "that the decoder painted at, pixels", optional=True),
        Column("working_height", "int64", "that the decoder painted at, pixels", optional=True),
        Column("start_sigma", "float64", "noise the decoder started at, sigma / sigma_data", True),
        Column("asked_sigma", "float64", "noise that was asked for; none where by strength", True),
        Column("file_bytes", "int64", "the `.cmc` file"),
        Column("text_bytes", "int64", "of the file: the caption"),
        Column("pixels_bytes", "int64", "of the file: one pixel a block"),
        Column("image_bytes", "int64", "of the file: the picture codec's stream"),
        Column("bits_per_pixel", "float64", "8 x file bytes / pixels of the ground truth"),
        Column("caption", "string", "what was sent as text", optional=True),
        Column("caption_characters", "int64", "of the caption", optional=True),
        Column("caption_tokens", "int64", "that the I2T model generated, where counted", True),
        Column("seed", "int64", "of the picture's own generator"),
        Column("picture_sha256", "string", "of the decoded PNG; empty when there is none"),
        Column("encode_seconds", "float64", "captioning and picture coding"),
        Column("decode_seconds", "float64", "when the picture was first made"),
    ),
    parts=("request_id",),
)

RESULTS = Dataset(
    name="CMC-Bench-results", folder=Path(__file__).parent, configs=(AGGREGATES, PER_IMAGE)
)

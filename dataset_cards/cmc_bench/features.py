"""The tables of the benchmark."""

from pathlib import Path

from dataset_cards.schema import Column, Config, Dataset
from protocol.rules import Content

CONTENTS = tuple(Content)
"""The splits of every table about the ground truth."""

_SAMPLE = (
    Column("name", "string", "file name of the ground truth; pairs are made by it alone"),
    Column("content", "string", "`NSI`, `SCI` or `AIGI`"),
    Column("source", "string", "where the ground truth is from: `pgc`, `screen`, `SDXL`, …"),
)
_SIZE = (
    Column("width", "int32", "pixels"),
    Column("height", "int32", "pixels"),
    Column("sha256", "string", "of the picture's file as it is embedded, 64 hex digits"),
)

GROUND_TRUTH = Config(
    name="ground_truth",
    about="The pictures that are compressed: the released PNG files, byte for byte.",
    columns=(Column("image", "image", "the PNG file as released"), *_SAMPLE, *_SIZE),
    splits=CONTENTS,
)

REFERENCES = Config(
    name="references",
    about="What a decoder starts from in image, full and pixel mode.",
    columns=(
        *_SAMPLE,
        Column("kind", "string", "`image`: the VVC picture; `pixel`: one pixel a 64x64 block"),
        Column("origin", "string", "`released` with the benchmark, or `built` by `cmc dataset`"),
        Column("image", "image", "the reference as a decoder sees it, of the ground truth's size"),
        *_SIZE,
        Column("codec", "string", "`vvc` or `pixels`"),
        Column("quality", "int32", "VVC's QP; for pixels the bits a channel", optional=True),
        Column("encoder", "string", "all that decides the bitstream; empty where not known"),
        Column("bitstream", "binary", "what is sent; released ones were never published", True),
        Column("bits", "int64", "8 x length of the bitstream", optional=True),
        Column("bits_per_pixel", "float64", "bits / pixels of the ground truth", optional=True),
    ),
    parts=("origin", "kind"),
    splits=CONTENTS,
)

CAPTIONS = Config(
    name="captions",
    about="What an I2T model says of each ground truth.",
    columns=(
        *_SAMPLE,
        Column("i2t", "string", "the model, or the stem of the released caption file"),
        Column("caption", "string", "UTF-8, white space at both ends removed"),
        Column("origin", "string", "`released` with the benchmark, or `built` by `cmc dataset`"),
    ),
    parts=("i2t",),
    splits=CONTENTS,
)

DISTORTED = Config(
    name="distorted",
    about="Decoded pictures: every system, mode and ground truth.",
    columns=(
        Column("role", "string", "what is compared: `T2I`, `I2T` or `codec`"),
        Column("i2t", "string", "I2T model with its revision; empty where none speaks"),
        Column("t2i", "string", "T2I model with its revision; empty for a codec"),
        Column("codec", "string", "picture codec with its quality; empty for a pair"),
        Column("mode", "string", "what was sent: `text`, `pixel`, `image` or `full`"),
        *_SAMPLE,
        Column("image", "image", "the decoded picture; none where decoding failed", True),
        *_SIZE,
        Column("caption", "string", "what was sent as text; none in image mode", optional=True),
        Column("text_bits", "int64", "of the file: the caption"),
        Column("pixels_bits", "int64", "of the file: one pixel a block"),
        Column("image_bits", "int64", "of the file: the picture codec's stream"),
        Column("header_bits", "int64", "of the file: everything else"),
        Column("bits", "int64", "8 x length of the file"),
        Column("bits_per_pixel", "float64", "bits / pixels of the ground truth"),
        Column("file", "binary", "the `.cmc` file that the picture was decoded from"),
        Column("status", "string", "`decoded`, or why there is no picture"),
        Column("seed", "int64", "of the picture's own generator"),
        Column("protocol", "string", "version of the protocol"),
        Column("request_id", "string", "the run, as in CMC-Bench-results"),
    ),
    parts=("role", "system", "mode"),
    splits=CONTENTS,
)

_SPREAD = "sample standard deviation over the viewers kept; none of one viewer"
_REPORTS = Column("nsfw_reports", "int32", "viewers who reported the picture as offensive")

MOS = Config(
    name="mos",
    about="Mean opinion scores of pictures that are in no other table.",
    columns=(
        Column(
            "reference", "string", "name of the picture it is compared with, in `mos_references`"
        ),
        Column("distorted", "string", "file name of the decoded picture"),
        Column("image", "image", "the decoded picture, byte for byte as released"),
        *_SIZE,
        Column("t2i", "string", "T2I model; the I2T model is GPT-4o for all"),
        Column("mode", "string", "what was sent"),
        Column("strength", "float64", "denoising strength, drawn from 0.2 to 0.9"),
        Column(
            "consistency_mos",
            "float64",
            "with the reference, by `cmc mos`; higher is better",
        ),
        Column("consistency_sd", "float64", _SPREAD, True),
        Column("perception_mos", "float64", "of the picture alone, likewise; higher is better"),
        Column("perception_sd", "float64", _SPREAD, True),
        Column("viewers", "int32", "whose scores were kept, in the dimension with fewer"),
        _REPORTS,
    ),
    parts=("t2i",),
)

MOS_REFERENCES = Config(
    name="mos_references",
    about="The ground truths of the mean opinion scores.",
    columns=(
        Column("image", "image", "the PNG file as released"),
        Column("name", "string", "file name, as in `reference` of `mos`"),
        *_SIZE,
    ),
)

RATINGS = Config(
    name="ratings",
    about=(
        "The ratings as the viewers gave them, changed ones too: what `cmc rate --export` writes "
        "and `cmc mos` reads."
    ),
    columns=(
        Column("viewer", "string", "pseudonym, `viewer-01` and so on; the names are not kept"),
        Column("image", "string", "the decoded picture, `distorted` of `mos`"),
        Column("dimension", "string", "`consistency`, `perception` or `nsfw`"),
        Column(
            "rating",
            "float64",
            "0 to 5, higher is better; of `nsfw` 1 for offensive, 0 for taken back",
        ),
        Column("time", "string", "UTC, ISO 8601; of two ratings of the same the later counts"),
        Column("session", "string", "the group of pictures that was rated without a rest"),
    ),
)

CMC_BENCH = Dataset(
    name="CMC-Bench",
    folder=Path(__file__).parent,
    configs=(GROUND_TRUTH, REFERENCES, DISTORTED, MOS, MOS_REFERENCES, RATINGS, CAPTIONS),
)

"""What a stranger may read of a worker's log."""

import pytest

from submission.redaction import EXCERPT_CHARACTERS, HIDDEN, excerpt, redact


@pytest.mark.parametrize(
    "secret",
    [
        "hf_AbCdEfGhIjKlMnOpQrStUvWxYz012345",
        "hf_oauth_eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123",
        "hf_jwt_AbCdEfGhIjKlMnOp",
        "sk-proj-abcdefghijklmnop",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
        "AKIAIOSFODNN7EXAMPLE",
        "glpat-AbCdEfGhIjKlMnOpQrSt",
        "AIzaSyA-1234567890abcdefghijklmnopqrstuv",
        "nvapi-abcdefghijklmnop_qrstuvwxyz-0123456789",
        "gsk_abcdefghijklmnopqrstuvwxyz0123456789",
        "xai-abcdefghijklmnopqrstuvwxyz0123456789",
        "r8_abcdefghijklmnopqrstuvwxyz0123456789",
        "xoxb-123456789012-abcdefgh",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF_123",
    ],
)
def test_tokens_known_by_their_form_are_hidden(secret: str) -> None:
    assert secret not in redact(f"request with {secret} was refused")
    assert HIDDEN in redact(secret)


@pytest.mark.parametrize(
    "line",
    [
        "Authorization: Bearer s3cr3t-value",
        'headers={"authorization": "Bearer s3cr3t-value"}',
        "OPENAI_API_KEY=s3cr3t-value",
        "https://host/path?token=s3cr3t-value&x=1",
        "X-Amz-Signature=s3cr3t-value",
        "password: s3cr3t-value",
        "https://user:s3cr3t-value@host/x",
        "got bearer s3cr3t-value",
    ],
)
def test_what_is_named_a_secret_is_hidden(line: str) -> None:
    assert "s3cr3t" not in redact(line)


def test_the_values_of_the_workers_own_secrets_are_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SERVICE_TOKEN", "plain-looking-value")
    assert redact("called with plain-looking-value") == f"called with {HIDDEN}"
    # Eight characters are the shortest that may stand for a secret and for nothing else.
    monkeypatch.setenv("MY_SERVICE_TOKEN", "12345678")
    assert redact("pin 12345678") == f"pin {HIDDEN}"
    # One may begin with another's letters.
    monkeypatch.setenv("MY_SERVICE_PASSWORD", "12345678-and-more")
    assert redact("pin 12345678, 12345678-and-more") == f"pin {HIDDEN}, {HIDDEN}"
    monkeypatch.setenv("MY_SERVICE_TOKEN", "decoder")
    monkeypatch.setenv("MY_FAVOURITE", "diffusers")
    assert redact("decoder diffusers failed") == "decoder diffusers failed"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('File "/home/ada/lab/cmc/run.py", line 3', 'File "…/run.py", line 3'),
        ("cannot open ~/.cache/huggingface/token", "cannot open …/token"),
        (r"C:\Users\ada\models\x.bin is missing", "…/x.bin is missing"),
        (
            "https://huggingface.co/acme/model is gated",
            "https://huggingface.co/acme/model is gated",
        ),
        ("file:///home/ada/lab/x.png is missing", "…/x.png is missing"),
        ("'file:///home/ada/My Lab/x.png'", "'…/x.png'"),
        ("PATH=/usr/local/bin:/home/ada/lab", "PATH=…/bin:…/lab"),
        ("C:/Users/ada/x.bin", "C:…/x.bin"),
        ("http://localhost:7860/gradio_api/call/x", "http://localhost:7860/gradio_api/call/x"),
        ("acme/model at 3/48", "acme/model at 3/48"),
        ("No such file: '/home/ada/My Lab/gt set/a b.png'", "No such file: '…/a b.png'"),
        ("in hf_hub_download, tokenizer: CLIP", "in hf_hub_download, tokenizer: CLIP"),
    ],
)
def test_folders_of_the_machine_are_left_out(line: str, shown: str) -> None:
    assert redact(line) == shown


@pytest.mark.timeout(60)
def test_a_long_word_is_gone_through_once() -> None:
    for word in ("a" * 1_000_000, "token" * 100_000, "'/a b" * 200_000, "hf_" * 300_000):
        assert redact(f"{word}\nhf_{'a' * 30}").endswith(HIDDEN)


def test_an_excerpt_is_the_end_and_begins_with_a_whole_line() -> None:
    log = "".join(f"line {i} hf_{'a' * 30}\n" for i in range(1000))
    short = excerpt(log)
    assert len(short) <= EXCERPT_CHARACTERS + 2
    assert short.startswith("…\nline ")
    assert short.endswith(f"line 999 {HIDDEN}\n")
    assert excerpt("short") == "short"

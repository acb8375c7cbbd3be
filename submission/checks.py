"""The checks of one model: each a pure function from facts to findings."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from submission.facts import FileKind, ModelFacts, Trouble
from submission.findings import Code, Finding
from submission.limits import Limits
from submission.served import Served
from submission.wording import shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a check looks at."""

    about: str
    """`i2t` or `t2i`."""
    adapter: str
    served: Served
    facts: ModelFacts
    limits: Limits
    takes_folders: bool = True
    """Whether a folder could be named here instead: not on a page that others use."""

    @property
    def name(self) -> str:
        """The model's name, fit to be printed."""
        return shown(self.facts.name)

    def finding(self, code: Code, sentence: str, remedy: str) -> Finding:
        """Return a finding about this model."""
        return Finding(code=code, about=self.about, sentence=sentence, remedy=remedy)


def examine_model(subject: Subject) -> tuple[Finding, ...]:
    """Run every check of one model; where nothing could be learnt of it, say why and no more."""
    unknown = tuple(check_found(subject))
    if unknown:
        return unknown
    return tuple(finding for check in CHECKS for finding in check(subject))


def check_found(subject: Subject) -> Iterator[Finding]:
    """The model and its revision are there, and may be read."""
    facts, name = subject.facts, subject.name
    answers = {
        Trouble.NOT_FOUND: (
            Code.MODEL_NOT_FOUND,
            f"{name} does not lie on this machine where the request says",
            "bring it back as it was, or run the worker where it lies",
        )
        if facts.is_local
        else (
            Code.MODEL_NOT_FOUND,
            f"the Hub shows no model {name}",
            "check the spelling of owner/name; a private model needs a token that may read it",
        ),
        Trouble.NO_REVISION: (
            Code.REVISION_NOT_FOUND,
            f"{name} has no revision {shown(facts.asked_revision)!r}",
            "name a branch, a tag or a 40-digit commit of the model, or leave it out",
        ),
        Trouble.UNREACHABLE: (
            Code.HUB_UNREACHABLE,
            f"nothing can be learnt of {name}: {shown(facts.trouble_detail)}",
            "try again in a few minutes"
            + (", or give a folder on this machine" if subject.takes_folders else ""),
        ),
        Trouble.NO_ACCESS: (
            Code.GATED_NO_ACCESS,
            f"{name} cannot be read: {shown(facts.trouble_detail)}",
            "accept the model's terms on its page, and ask its owner to let the evaluator in",
        ),
        Trouble.DISABLED: (
            Code.MODEL_DISABLED,
            f"the Hub has disabled {name}",
            "ask the Hub's support; a disabled model cannot be downloaded",
        ),
        Trouble.TOO_MANY_FILES: (
            Code.TOO_LARGE,
            f"{name} holds {shown(facts.trouble_detail)}",
            "give the model's own folder, without checkpoints of its training",
        ),
    }
    if facts.trouble in answers:
        yield subject.finding(*answers[facts.trouble])


def check_access(subject: Subject) -> Iterator[Finding]:
    """A gated or private model is readable here, and must be for the worker."""
    facts, name = subject.facts, subject.name
    if facts.gated:
        yield subject.finding(
            Code.GATED,
            f"{name} is gated ({shown(facts.gated)}): only accounts that accepted its terms read "
            "it",
            "grant the evaluator's account access, or the run will fail",
        )
    if facts.is_private:
        yield subject.finding(
            Code.PRIVATE,
            f"{name} is private: nobody can run its row again",
            "make it public, or grant the evaluator's account access",
        )


def check_files(subject: Subject) -> Iterator[Finding]:
    """Every file is a plain one, inside the folder, and none was flagged by a scanner."""
    words = {
        FileKind.LINK: "a symbolic link",
        FileKind.OTHER: "a pipe, a socket or a device",
        FileKind.SPARSE: "a file with holes: far longer than what lies on the disk",
    }
    for file in subject.facts.files[:10_000]:
        if file.kind in words:
            yield subject.finding(
                Code.UNSAFE_FILE,
                f"{shown(file.name)} in {subject.name} is {words[file.kind]}",
                "replace it by a plain file with its content, or remove it",
            )
    if subject.facts.flagged_files:
        listed = ", ".join(shown(name) for name in subject.facts.flagged_files[:5])
        yield subject.finding(
            Code.UNSAFE_FILE,
            f"the Hub's scanners found {listed} in {subject.name} unsafe",
            "remove the file from the repository; safetensors are never flagged",
        )


def check_weights(subject: Subject) -> Iterator[Finding]:
    """There are safetensors and nothing needs a pickle, unless the adapter reads tensors only."""
    weights = subject.facts.weight_files
    safe = [file for file in weights if file.suffix == ".safetensors"]
    pickles = [file for file in weights if file.suffix != ".safetensors"]
    for file in safe:
        if not file.header_is_whole:
            yield subject.finding(
                Code.DAMAGED_WEIGHTS,
                f"{shown(file.name)} of {subject.name} is no whole safetensors file",
                "save or upload it again; its header must describe every byte behind it",
            )
    if safe and pickles:
        yield subject.finding(
            Code.PICKLES_IGNORED,
            f"{subject.name} also holds {len(pickles)} pickled weight files, which are "
            + ("read as tensors only" if subject.served.reads_pickles else "not read"),
            "",
        )
    if safe or (pickles and subject.served.reads_pickles):
        return
    found = ", ".join(shown(file.name) for file in (pickles or subject.facts.files)[:3])
    yield subject.finding(
        Code.NO_SAFETENSORS,
        f"{subject.name} holds no .safetensors file (found: {found or 'nothing'})",
        "save the model with save_pretrained(..., safe_serialization=True); a pickle can run "
        "code when it is read",
    )


def check_class(subject: Subject) -> Iterator[Finding]:
    """The pipeline class or model type is one that the adapter serves."""
    facts, served = subject.facts, subject.served
    if served.pipelines and (facts.pipeline_class or not served.reads_pickles):
        found, wanted = facts.pipeline_class, served.pipelines
        kind, file = "pipeline", "model_index.json"
    elif served.model_types:
        found, wanted = facts.model_type, served.model_types
        kind, file = "model type", "config.json"
    else:
        return
    if found not in wanted:
        yield subject.finding(
            Code.UNSUPPORTED_PIPELINE,
            f"{subject.name} is of {kind} {shown(found)!r}, which {subject.adapter} does not run"
            if found
            else f"{subject.name} names no {kind} in a {file}",
            _nearest(found, wanted)
            + _from_one_file(subject)
            + "`cmc systems` lists what is known to run; any other kind "
            "needs an adapter, see CONTRIBUTING.md",
        )


def _from_one_file(subject: Subject) -> str:
    """Return what is done with a checkpoint of diffusers in one file, and "" for anything else."""
    facts, others = subject.facts, {"config.json", "pytorch_lora_weights.safetensors"}
    is_one = len(facts.weight_files) == 1 and not others & {file.name for file in facts.files}
    if facts.pipeline_class or not subject.served.pipelines or not is_one:
        return ""
    return "from_single_file() and save_pretrained() of its pipeline make a folder of one file; "


def check_inputs(subject: Subject) -> Iterator[Finding]:
    """The network takes what a file holds, and nothing besides."""
    facts, served = subject.facts, subject.served
    if facts.more_inputs and served.pipelines and not served.edits:
        yield subject.finding(
            Code.UNSUPPORTED_PIPELINE,
            f"the network of {subject.name} takes {facts.more_inputs}; no file holds that",
            "name the base model that it was made from or for",
        )


def check_adapters(subject: Subject) -> Iterator[Finding]:
    """The weights are a model's own, and not a change to another's (LoRA)."""
    facts, served = subject.facts, subject.served
    names = {"adapter_config.json"} if served.model_types else set()
    if served.pipelines:
        names = {"adapter_config.json", "pytorch_lora_weights.safetensors"}
    for file in facts.files:
        if file.name in names:
            yield subject.finding(
                Code.ADAPTER_IGNORED if facts.pipeline_class else Code.UNSUPPORTED_PIPELINE,
                f"{subject.name} holds an adapter for another model ({file.name}), which is not "
                "laid over it here",
                "merge it and save the whole model: merge_and_unload() with peft, fuse_lora() and "
                "unload_lora_weights() with diffusers, then save_pretrained()",
            )


def check_remote_code(subject: Subject) -> Iterator[Finding]:
    """Nothing asks for code from the repository."""
    if subject.facts.remote_code:
        listed = "; ".join(shown(reason) for reason in subject.facts.remote_code[:4])
        yield subject.finding(
            Code.REMOTE_CODE_REQUIRED,
            f"{subject.name} asks for code of its own ({listed})",
            "save it in the form of diffusers or transformers, without auto_map and custom "
            "classes; code from a repository is never run here",
        )


def check_size(subject: Subject) -> Iterator[Finding]:
    """What a run loads fits the worker."""
    facts, limits = subject.facts, subject.limits
    total = sum(file.file_bytes for file in facts.files)
    if facts.loaded_bytes > limits.weight_bytes:
        yield subject.finding(
            Code.TOO_LARGE,
            f"{subject.name} loads {_gigabytes(facts.loaded_bytes)} of weights; the workers take "
            f"{_gigabytes(limits.weight_bytes)}",
            "upload the weights in half precision (variant fp16), or run the model behind an "
            "endpoint",
        )
    elif facts.is_local and total > limits.repository_bytes:
        yield subject.finding(
            Code.TOO_LARGE,
            f"{subject.name} holds {_gigabytes(total)}; a folder may hold "
            f"{_gigabytes(limits.repository_bytes)}",
            "give the model's own folder, without checkpoints of its training",
        )


def check_licence(subject: Subject) -> Iterator[Finding]:
    """The licence and the base model are declared; the board shows them."""
    facts = subject.facts
    if facts.licence:
        licence = f"{subject.name} is under {shown(facts.licence)}"
        yield subject.finding(Code.LICENCE, licence, "")
    else:
        yield subject.finding(
            Code.NO_LICENCE,
            f"{subject.name} declares no licence",
            "name one in the model card: license: ...",
        )
    if facts.base_models:
        listed = ", ".join(shown(name) for name in facts.base_models)
        yield subject.finding(Code.BASE_MODEL, f"{subject.name} is made from {listed}", "")


def check_config(subject: Subject) -> Iterator[Finding]:
    """The small JSON files are JSON objects of a sane size."""
    if subject.facts.trouble is Trouble.BAD_CONFIG:
        yield subject.finding(
            Code.BAD_CONFIG,
            f"{shown(subject.facts.trouble_detail)} of {subject.name} cannot be read as JSON of "
            "at most 1 MiB",
            "save the model again with save_pretrained",
        )


CHECKS: tuple[Callable[[Subject], Iterator[Finding]], ...] = (
    *(check_access, check_files, check_config, check_weights, check_class),
    *(check_inputs, check_adapters, check_remote_code, check_size, check_licence),
)


def _nearest(found: str, wanted: frozenset[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(found, sorted(wanted), n=1, cutoff=0.75)
    return f"did you mean {near[0]}? " if near else ""


def _gigabytes(count: int) -> str:
    return f"{count / 10**9:.1f} GB"

"""Run a random part of results that their submitter made again; on agreement they are verified.

Which pictures follows from the request and from the ledger's newest line, which nobody knew when
the results came. For maintainers; the record goes into the store.
"""

import argparse

from evaluator.commands._again import add_again, find_result, run_again, show
from protocol.audits import SHARE

HELP = "run a random part of self-reported results again"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_again(parser)
    parser.add_argument(
        "--share",
        type=float,
        default=SHARE,
        help=f"of the pictures, at least one of each content (default: {SHARE})",
    )


def run(options: argparse.Namespace) -> int:
    """Run, compare, file and print; the exit status is 1 when the results do not agree."""
    from protocol.audits import SCHEMA_VERSION, Audit, audit_names
    from protocol.errors import InputError
    from protocol.jsonable import to_json
    from submission.audits import file_audit, require_reported
    from submission.identity import account_for, require_maintainer
    from submission.intake import require_accepted
    from submission.limits import UNSHARED, shared_limits
    from submission.rules import check_endpoints
    from submission.store import FolderStore, open_existing

    if not 0 < options.share <= 1:
        raise InputError(f"--share {options.share}: wanted more than 0, and 1 at most")
    require_maintainer(account_for(options.store), options.store)
    store = open_existing(options.store)
    result = find_result(store, options)
    require_reported(store.state(options.request))
    limits = UNSHARED if isinstance(store, FolderStore) else shared_limits()
    require_accepted(check_endpoints(result.request, limits))
    salt = store.ledger.refresh().sha256
    replication = run_again(
        store,
        result,
        options,
        lambda samples: audit_names(samples, options.share, options.request, salt),
        f"audit-{options.request}",
    )
    audit = Audit(
        schema_version=SCHEMA_VERSION, share=options.share, salt=salt, replication=replication
    )
    path = file_audit(store.ledger, audit)
    if options.json:
        print(to_json(audit))
    else:
        show(replication)
        print(f"{audit.sentence}\nfiled as {path}")
    return 0 if audit.agrees else 1

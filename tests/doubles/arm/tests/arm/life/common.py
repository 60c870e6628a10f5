"""What the parts of the life share: clients, and what they see held against what is wanted."""

import contextlib
import json
import sys
import time

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient
from azure.mgmt.storage import StorageManagementClient

ENDPOINT, SUBSCRIPTION, TOKEN, ROOT = sys.argv[1:]
GROUP, PLACE = "shop", "westeurope"
SCOPE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}"


class Credential:
    def get_token(self, *scopes, **more):
        return AccessToken(TOKEN, int(time.time()) + 3600)


def client(kind):
    return kind(
        Credential(),
        SUBSCRIPTION,
        base_url=ENDPOINT,
        credential_scopes=[f"{ENDPOINT}/.default"],
        connection_verify=ROOT,
        polling_interval=0,
        retry_total=0,
    )


compute, network = client(ComputeManagementClient), client(NetworkManagementClient)
resources, storage = client(ResourceManagementClient), client(StorageManagementClient)


def arrange(what, *arguments):
    print(json.dumps([what, *arguments]), flush=True)
    assert sys.stdin.readline().strip() == "done", what


@contextlib.contextmanager
def refused(status, code, *words):
    """What is within must end in this error, whose text has these words. The end of an operation
    has no status of its own: None."""
    try:
        yield
    except HttpResponseError as error:
        found = (error.error.code if error.error else None, error.status_code)
        assert found[0] == code and status in (None, found[1]), f"{found}: {error}"
        missing = [word for word in words if word not in str(error)]
        assert not missing, f"{missing} in: {error}"
    else:
        raise AssertionError(f"nothing was refused: {code} {words}")


def same(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


def names(answer):
    return [one.name for one in answer]


def of(kind, name):
    return f"{SCOPE}/providers/{kind}/{name}"

"""Storage accounts and their containers."""

from common import *

ACCOUNT = "shopdata1"


def the_account():
    accounts = storage.storage_accounts
    ask = lambda: accounts.check_name_availability({"name": ACCOUNT, "type": "Microsoft.Storage/storageAccounts"})
    same(ask().name_available, True)
    body = {"location": PLACE, "kind": "StorageV2", "sku": {"name": "Standard_LRS"}, "tags": {"a": "1"}}
    made = accounts.begin_create(GROUP, ACCOUNT, body).result()
    same((made.provisioning_state, made.sku.tier, made.kind), ("Succeeded", "Standard", "StorageV2"))
    assert made.primary_endpoints.blob.endswith(f"/{ACCOUNT}/")
    same((ask().name_available, ask().reason), (False, "AlreadyExists"))
    with refused(400, "AccountNameInvalid"):
        accounts.begin_create(GROUP, "No-Good", body)
    # Exactly the same again is no error.
    accounts.begin_create(GROUP, ACCOUNT, body).result()
    same(accounts.update(GROUP, ACCOUNT, {"tags": {"b": "2"}}).tags, {"b": "2"})
    same(accounts.get_properties(GROUP, ACCOUNT).minimum_tls_version, "TLS1_2")
    resources.resource_groups.create_or_update("other", {"location": PLACE})
    with refused(409, "StorageAccountInAnotherResourceGroup"):
        accounts.begin_create("other", ACCOUNT, body).result()
    same(names(accounts.list_by_resource_group(GROUP)), [ACCOUNT])
    same(len(accounts.list_keys(GROUP, ACCOUNT).keys_property), 2)


def containers():
    of_blobs = storage.blob_containers
    made = of_blobs.create(GROUP, ACCOUNT, "photos", {"properties": {"metadata": {"owner": "us"}}})
    same(made.name, "photos")
    found = of_blobs.get(GROUP, ACCOUNT, "photos")
    same((found.metadata, found.public_access), ({"owner": "us"}, "None"))
    with refused(400, "InvalidMetadata"):
        of_blobs.create(GROUP, ACCOUNT, "wrong", {"properties": {"metadata": {"a-b": "us"}}})
    same(names(of_blobs.list(GROUP, ACCOUNT)), ["photos"])
    of_blobs.delete(GROUP, ACCOUNT, "photos")
    with refused(404, "ResourceNotFound"):
        of_blobs.get(GROUP, ACCOUNT, "photos")
    storage.storage_accounts.delete(GROUP, ACCOUNT)
    same(list(storage.storage_accounts.list()), [])

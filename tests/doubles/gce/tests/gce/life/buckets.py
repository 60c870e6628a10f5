"""Buckets and objects, by generations."""

from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from common import *


def buckets():
    options = {"api_endpoint": ENDPOINT}
    gcs = storage.Client(project=PROJECT, credentials=AnonymousCredentials(), client_options=options)
    bucket = storage.Bucket(gcs, "shop-store")
    bucket.labels = {"team": "shop"}
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    bucket.iam_configuration.public_access_prevention = "enforced"
    bucket.create(location=REGION)
    with refused(exceptions.Conflict, "you already own it"):
        gcs.create_bucket("shop-store")
    seen = gcs.get_bucket("shop-store")
    same((seen.labels, seen.location), ({"team": "shop"}, "EUROPE-WEST1"))
    same((seen.metageneration, seen.versioning_enabled), (1, False))
    seen.labels = {"team": "web"}
    seen.versioning_enabled = True
    seen.patch(if_metageneration_match=1)
    with refused(exceptions.PreconditionFailed, "pre-conditions"):
        seen.patch(if_metageneration_match=1)
    same(gcs.get_bucket("shop-store").labels, {"team": "web"})
    same([one.name for one in gcs.list_buckets()], ["shop-store"])
    blob = seen.blob("lease/one")
    blob.upload_from_string("first", if_generation_match=0)
    first = blob.generation
    with refused(exceptions.PreconditionFailed, "pre-conditions"):
        seen.blob("lease/one").upload_from_string("thief", if_generation_match=0)
    blob.upload_from_string("second", if_generation_match=first)
    assert blob.generation > first
    with refused(exceptions.PreconditionFailed, "pre-conditions"):
        seen.blob("lease/one").upload_from_string("late", if_generation_match=first)
    same(seen.blob("lease/one").download_as_bytes(), b"second")
    same([one.name for one in gcs.list_blobs("shop-store", prefix="lease/")], ["lease/one"])
    same(len(list(gcs.list_blobs("shop-store", versions=True))), 2)
    with refused(exceptions.NotFound, "No such object"):
        seen.blob("none").download_as_bytes()
    with refused(exceptions.Conflict, "not empty"):
        seen.delete()
    with refused(exceptions.PreconditionFailed, "pre-conditions"):
        blob.delete(if_generation_match=first)
    blob.delete(if_generation_match=blob.generation)
    with refused(exceptions.Conflict, "not empty"):
        seen.delete()
    for one in gcs.list_blobs("shop-store", versions=True):
        seen.blob(one.name, generation=one.generation).delete()
    seen.delete()
    with refused(exceptions.NotFound, "The specified bucket does not exist"):
        gcs.get_bucket("shop-store")

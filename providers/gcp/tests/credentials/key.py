"""Keys of service accounts, and what Google's own library says of tokens that were signed with them.

    key.py make FILE ADDRESS      writes the file of a service account with a new key, as the console does
    key.py read FILE              reads tokens, one a line, and tells the claims of each that is genuine
"""

import json
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt


def make(path, address):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "key-of-today",
        "private_key": private.decode(),
        "client_email": address,
        "client_id": "1",
        "token_uri": "https://oauth2.googleapis.com/token",
        "universe_domain": "googleapis.com",
    }
    with open(path, "w") as file:
        json.dump(account, file)


def read(path):
    with open(path) as file:
        account = json.load(file)
    key = serialization.load_pem_private_key(account["private_key"].encode(), None)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    certificates = {account["private_key_id"]: public}
    for token in sys.stdin.read().split():
        print(json.dumps(dict(jwt.decode(token, certs=certificates))))


{"make": make, "read": read}[sys.argv[1]](*sys.argv[2:])

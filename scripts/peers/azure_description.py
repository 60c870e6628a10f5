"""Writes what the types of Microsoft's own clients say about the API of Azure, as JSON.

    python azure_description.py FILE

It reads the installed wheels `azure-mgmt-compute`, `-network`, `-resource` and `-storage`: of each
operation that the double of Azure Resource Manager has, the path, the query and the types of its
bodies; and of every type that these need, the fields as they are on the wire. Run by `azure`, beside
it, with the Python of its environment.
"""

import ast
import enum
import json
import re
import sys
import typing
from importlib import import_module
from pathlib import Path

# The groups of operations that the double has something of.
GROUPS = {
    "azure.mgmt.compute": [
        "VirtualMachinesOperations",
        "DisksOperations",
        "ResourceSkusOperations",
        "UsageOperations",
        "VirtualMachineImagesOperations",
        "SshPublicKeysOperations",
    ],
    "azure.mgmt.network": [
        "VirtualNetworksOperations",
        "SubnetsOperations",
        "NetworkSecurityGroupsOperations",
        "SecurityRulesOperations",
        "ApplicationSecurityGroupsOperations",
        "PublicIPAddressesOperations",
        "NetworkInterfacesOperations",
        "UsagesOperations",
    ],
    "azure.mgmt.resource.resources": [
        "ResourceGroupsOperations",
        "ResourcesOperations",
        "TagsOperations",
        "ProvidersOperations",
    ],
    "azure.mgmt.storage": [
        "StorageAccountsOperations",
        "BlobContainersOperations",
        "BlobServicesOperations",
        "UsagesOperations",
    ],
}

PLAIN = {str: "text", int: "whole", float: "number", bool: "truth"}
EVERY = {"read", "create", "update", "delete", "query"}


class Types:
    """The types that were asked for, and those that they need."""

    def __init__(self):
        self.types, self.enums = {}, {}

    def shape(self, hint):
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Union:
            inner = [one for one in arguments if one is not type(None)]
            enums = [one for one in inner if isinstance(one, type) and issubclass(one, enum.Enum)]
            if enums:
                return self.of_enum(enums[0])
            return self.shape(inner[0]) if len(inner) == 1 else {"is": "any"}
        if origin is list:
            return {"is": "list", "of": self.shape(arguments[0])}
        if origin is dict:
            return {"is": "map", "of": self.shape(arguments[1])}
        if origin is typing.Literal:
            return {"is": "text"}
        if hint in PLAIN:
            return {"is": PLAIN[hint]}
        if isinstance(hint, type) and issubclass(hint, enum.Enum):
            return self.of_enum(hint)
        if hasattr(hint, "_attr_to_rest_field") or hasattr(hint, "_calculated"):
            return self.of_model(hint)
        # Times, durations and bytes are text on the wire.
        if isinstance(hint, type) and hint.__module__ in ("datetime", "builtins") and hint is not object:
            return {"is": "text"}
        return {"is": "any"}

    def of_enum(self, kind):
        # New sizes are in the API's own list alone: this type says that it is out of date.
        if kind.__name__ == "VirtualMachineSizeTypes":
            return {"is": "text"}
        name = f"{kind.__module__.split('.models')[0]}.{kind.__name__}"
        self.enums[name] = [one.value for one in kind]
        return {"is": "enum", "of": name}

    def of_model(self, kind):
        name = f"{kind.__module__.split('.models')[0]}.{kind.__name__}"
        if name not in self.types:
            fields = self.types[name] = {}
            # The fields of a class are gathered when the first of its kind is made.
            kind.__new__(kind)
            module = sys.modules[kind.__module__]
            names = dict(vars(module), _models=import_module(kind.__module__.rsplit(".", 1)[0]))
            hints = typing.get_type_hints(kind, names)
            for attribute, field in kind._attr_to_rest_field.items():
                visible = set(field._visibility or EVERY)
                optional = type(None) in typing.get_args(hints[attribute])
                fields[field._rest_name] = {
                    "type": self.shape(hints[attribute]),
                    "read_only": visible == {"read"},
                    "required": not optional and visible != {"read"},
                }
        return {"is": "model", "of": name}


def builders(tree):
    """The functions that build requests: method, path and query of each."""
    found = {}
    for function in tree.body:
        if not isinstance(function, ast.FunctionDef) or not function.name.startswith("build_"):
            continue
        path, query, http = None, [], None
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                if node.targets[0].id == "_url" and isinstance(node.value, ast.Constant):
                    path = node.value.value
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                target = node.targets[0]
                if isinstance(target.value, ast.Name) and target.value.id == "_params":
                    query.append(target.slice.value)
            elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "HttpRequest":
                http = next(one.value.value for one in node.keywords if one.arg == "method")
        path, _, more = path.partition("?")
        query.extend(pair.split("=")[0] for pair in more.split("&") if pair)
        path = re.sub(r"\{(\w+)\}", lambda m: "{scope}" if m[1] == "scope" else "{}", path)
        found[function.name] = {"http": http, "path": path, "query": query}
    return found


def named(node, models):
    """The first model that an annotation names."""
    for one in ast.walk(node):
        if isinstance(one, ast.Attribute) and getattr(one.value, "id", "") == "_models":
            return getattr(models, one.attr)
    return None


def answer(function, models, types):
    """What an operation answers with, by what is made of its answer."""
    paged, item = False, None
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "_deserialize":
            kind = node.args[0]
            many = isinstance(kind, ast.Subscript)
            if model := named(kind, models):
                if model.__name__ in ("CloudError", "ErrorResponse", "Error"):
                    continue
                shape = types.of_model(model) if hasattr(model, "_calculated") else {"is": "any"}
                item, paged = shape, many and "prepare_request" in ast.dump(function)
                if many:
                    item = {"is": "list", "of": shape}
    if not paged:
        return item
    name = f"page of {item['of']['of']}"
    types.types[name] = {
        "value": {"type": item, "read_only": False, "required": True},
        "nextLink": {"type": {"is": "text"}, "read_only": False, "required": False},
    }
    return {"is": "model", "of": name}


def body(function, models, types):
    for argument in [*function.args.args, *function.args.kwonlyargs]:
        if argument.annotation and "IO" in ast.dump(argument.annotation):
            model = named(argument.annotation, models)
            return types.of_model(model) if model else {"is": "any"}
    return None


def operations(package, groups, types):
    models = import_module(f"{package}.models")
    source = Path(import_module(f"{package}.operations._operations").__file__)
    tree = ast.parse(source.read_text())
    requests = builders(tree)
    found = {}
    for group in tree.body:
        if not isinstance(group, ast.ClassDef) or group.name not in groups:
            continue
        for function in group.body:
            if not isinstance(function, ast.FunctionDef) or function.name.startswith("begin_"):
                continue
            used = [
                one.func.id
                for one in ast.walk(function)
                if isinstance(one, ast.Call) and getattr(one.func, "id", "").startswith("build_")
            ]
            if not used:
                continue
            request = requests[used[0]]
            # What is there for resources of any kind would match the paths of all of them.
            if "/providers/{}/{}" in request["path"]:
                continue
            # A second way to ask for the same adds its query.
            known = found.setdefault((request["http"], request["path"]), dict(request))
            known["query"] = sorted({*known["query"], *request["query"]})
            known["id"] = f"{group.name}.{function.name}"
            known["body"] = known.get("body") or body(function, models, types)
            known["answer"] = known.get("answer") or answer(function, models, types)
        # What takes a while tells the type of its result where it begins.
        for function in group.body:
            if isinstance(function, ast.FunctionDef) and function.name.startswith("begin_"):
                for one in found.values():
                    if one["id"] == f"{group.name}._{function.name.removeprefix('begin_')}_initial":
                        one["answer"] = one["answer"] or answer(function, models, types)
    return list(found.values())


def main(file):
    types, found = Types(), []
    for package, groups in GROUPS.items():
        found.extend(operations(package, groups, types))
    written = {"operations": found, "types": types.types, "enums": types.enums}
    Path(file).write_text(json.dumps(written, indent=1, sort_keys=True))


main(sys.argv[1])

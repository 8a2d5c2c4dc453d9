"""The documents of Run Command: what CreateDocument and its kin take, and what becomes of parameters. Part of run_command.py."""

import json
import re

LONGEST_DOCUMENT = 65536

documents = {}


def refuse(code, message):
    from ministack.core.responses import error_response_json

    return error_response_json(code, message, 400)


def versions_of(name):
    """Documents may be named by their ARN too."""
    return documents.get(str(name).rsplit("document/", 1)[-1])


def parsed(data):
    content = data.get("Content") or ""
    if len(content) > LONGEST_DOCUMENT:
        raise ValueError("MaxDocumentSizeExceeded")
    document = json.loads(content)
    declared = set(document.get("parameters") or {})
    used = set(re.findall(r"\{\{ *(\w+) *\}\}", json.dumps(document["mainSteps"])))
    if document["schemaVersion"] != "2.2" or used - declared:
        raise ValueError("InvalidDocumentContent")
    return document


def described(name, number):
    from ministack.core.responses import json_response

    description = {"Name": name, "Status": "Active", "DocumentVersion": str(number), "DocumentType": "Command", "SchemaVersion": "2.2"}
    return json_response({"DocumentDescription": description, "Document": description})


def create_document(data):
    if versions_of(data["Name"]):
        return refuse("DocumentAlreadyExists", f"document {data['Name']} exists")
    try:
        documents[data["Name"]] = {"versions": [parsed(data)], "default": 1}
    except (ValueError, KeyError) as error:
        return refuse("InvalidDocumentContent", str(error))
    return described(data["Name"], 1)


def update_document(data):
    document = versions_of(data["Name"])
    if not document:
        return refuse("InvalidDocument", f"document {data['Name']} does not exist")
    try:
        content = parsed(data)
    except (ValueError, KeyError) as error:
        return refuse("InvalidDocumentContent", str(error))
    if content in document["versions"]:
        return refuse("DuplicateDocumentContent", "the content is that of an earlier version")
    document["versions"].append(content)
    return described(data["Name"], len(document["versions"]))


def update_default_version(data):
    document = versions_of(data["Name"])
    if not document or not 1 <= int(data["DocumentVersion"]) <= len(document["versions"]):
        return refuse("InvalidDocumentVersion", f"document {data['Name']} has no version {data['DocumentVersion']}")
    document["default"] = int(data["DocumentVersion"])
    return described(data["Name"], document["default"])


def delete_document(data):
    from ministack.core.responses import json_response

    documents.pop(data["Name"], None)
    return json_response({})


def values_of(document, given):
    """Each parameter's value; a ValueError says what AWS would refuse."""
    declared = document.get("parameters") or {}
    unknown = set(given) - set(declared)
    if unknown:
        raise ValueError(f"unknown parameters: {', '.join(sorted(unknown))}")
    values = {}
    for name, parameter in declared.items():
        value = given.get(name, parameter.get("default"))
        value = value[0] if isinstance(value, list) and value else value
        if value is None:
            raise ValueError(f"parameter {name} is missing")
        if not re.fullmatch(parameter.get("allowedPattern", ".*"), value, re.DOTALL):
            raise ValueError(f"parameter {name} does not match its pattern")
        values[name] = value
    return values


def script_of(document, values):
    """The parameters are put into the text before the node sees it: a shell reads whatever they hold."""
    lines = document["mainSteps"][0]["inputs"]["runCommand"]
    return re.sub(r"\{\{ *(\w+) *\}\}", lambda found: values[found.group(1)], "\n".join(lines))


ACTIONS = {
    "CreateDocument": create_document,
    "UpdateDocument": update_document,
    "UpdateDocumentDefaultVersion": update_default_version,
    "DeleteDocument": delete_document,
}

#!/usr/bin/env python3
"""new_operation.py [--product NAME] [--into FOLDER] Action     (./dev new Action)

Writes the room of an operation from contract/: src/operations/<folder>/<action>.cpp with all its parameters, answer fields and
faults, <action>_test.cpp beside it with a test for the happy case and for each fault, the line in the folder's table of contents,
and in src/api/faults.hpp the faults that are new. What it writes compiles and refuses every call with its first fault. What is
left: `run`, the tests' states, and whatever it says at the end.

  --product   where two products have an operation of that name (CreateRole): ResourceManager, ResourceDirectoryMaster, Ram, Sts, Actiontrail
  --into      the folder under src/operations/, if it is to be another one
"""
import argparse
import difflib
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# product: (constant of api/version.hpp, RAM code, folder)
PRODUCTS = {
    "ResourceManager": ("manager_2020", "resourcemanager", "resource_group"),
    "ResourceDirectoryMaster": ("master_2022", "resourcemanager", "resource_directory"),
    "Ram": ("ram_2015", "ram", "ram"),
    "Sts": ("sts_2015", "sts", "sts"),
    "Actiontrail": ("trail_2020", "actiontrail", "action_trail"),
}
SECRETS = {"VerificationCode", "Password", "NewPassword", "OldPassword", "AccessKeySecret", "SecurityToken", "AuthenticationCode1", "AuthenticationCode2"}
KEYWORDS = set("auto bool case char class const continue default delete do double else enum explicit export false float for friend goto if int long mutable namespace new "
               "operator private protected public register return short signed sizeof static struct switch template this throw true try typedef union unsigned using virtual void".split())
CHARSETS = {"letters": "a-zA-Z", "digits": "0-9", "lowercase letters": "a-z", "uppercase letters": "A-Z"}


def snake(name):
    """As openrd_snake of src/operations/CMakeLists.txt."""
    return re.sub(r"([A-Z]+)([A-Z][a-z])", r"\1_\2", re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name)).lower()


def member(name):
    word = snake(name)
    return f"{word}_value" if word in KEYWORDS else word


def begins(cpp):
    """The initializer of a member, so that nothing is left to chance."""
    return " = 0" if cpp.startswith("std::int") else " = false" if cpp == "bool" else ""


def quoted(text):
    return json.dumps(text, ensure_ascii=False)


class Room:
    def __init__(self, action, found, folder):
        self.action, self.found, self.folder = action, found, folder  # found: {product: the contract's operation}
        self.versions = [PRODUCTS[product][0] for product in found]
        self.operations = list(found.values())
        self.first = self.operations[-1]  # the newer one describes
        self.structs, self.rules, self.notes, self.includes = [], [], [], {"api/faults.hpp", "api/operation.hpp"}
        self.struct_names = {"Request", "Answer", "Operation"}
        self.new_faults = []

    # ---- what both versions say of one thing -------------------------------------------------------------------------------

    def merged(self, lists, key):
        """[(facts, version constants)] in the newer contract's order; two entries where the versions say it differently."""
        names = list(dict.fromkeys(entry[key] for entries in reversed(lists) for entry in entries))
        out = []
        for name in names:
            variants = []
            for entries, version in zip(lists, self.versions):
                for entry in entries:
                    if entry[key] == name:
                        same = next((v for v in variants if self.alike(v[0], entry)), None)
                        if same:
                            same[1].append(version)
                        else:
                            variants.append((entry, [version]))
            out += variants
        return out

    @staticmethod
    def alike(a, b):
        return all(a.get(what) == b.get(what) for what in ("type", "required", "item_type", "status", "message"))

    def only(self, versions):
        return "" if len(versions) == len(self.versions) else f".only(api::{versions[0]})"

    # ---- parameters --------------------------------------------------------------------------------------------------------

    def struct_name(self, wanted, owner=""):
        name = wanted if wanted not in self.struct_names else owner + wanted
        while name in self.struct_names:
            name += "Item"
        self.struct_names.add(name)
        return name

    def rule_of(self, p):
        """The argument for a parameter's rule, or nothing."""
        name = p["name"]
        if self.folder == "resource_directory":
            shared = {"SecureMobilePhone": "mobile_number_rule", "QueryKeyword": "keyword_rule", "AccountId": "account_id_rule", "FolderId": "folder_id_rule",
                      "ParentFolderId": "folder_id_rule", "DestinationFolderId": "folder_id_rule"}.get(name)
            if shared:
                self.includes.add("operations/resource_directory/rules.hpp")
                return ", " + shared
        if name in SECRETS or p["type"] == "list":
            return ""
        facts, says = [], []
        if p.get("enum") and p["type"] == "string":
            words = [str(word) for word in p["enum"]]
            says.append(" or ".join(words) if len(words) < 4 else "one of " + ", ".join(words))
            facts.append(f".one_of = {{{', '.join(quoted(word) for word in words)}}}")
        else:
            if p.get("length"):
                least, most = p["length"]
                says.append(f"{least} to {most} characters")
                facts.append(f".length = {{{least}, {most}}}")
            if p.get("charset") and all(piece in CHARSETS or len(piece) == 1 for piece in p["charset"]):
                says.append("of " + ", ".join(p["charset"]))
                alphabet = "".join(sorted((CHARSETS.get(piece, piece) for piece in p["charset"]), key=lambda piece: piece == "-"))
                facts.append(f".alphabet = {quoted(alphabet)}")
            elif p.get("charset"):
                self.notes.append(f"{name}: the contract allows {', '.join(p['charset'])}; the rule has no alphabet yet")
            if p.get("range") and p["type"] == "int":
                least, most = p["range"]
                says.append(f"{least} to {most}")
                facts.append(f".range = {{{least}, {most}}}")
        for what in ("starts_with", "ends_with", "unique_within", "no_consecutive_specials", "pattern", "site_rule", "json_string_hint"):
            if what in p and not (what == "site_rule" and name == "SecureMobilePhone"):
                self.notes.append(f"{name}: the contract says {what} {json.dumps(p[what])}")
        if not facts:
            return ""
        rule = f"{member(name)}_rule"
        text = f"constexpr api::Rule {rule}{{.says = {quoted(' '.join(says))}, {', '.join(facts)}}};"
        if text not in self.rules:
            self.rules.append(text)
        return ", " + rule

    def parameter(self, p, versions, members, twice):
        name, kind = p["name"], p["type"]
        required = bool(p.get("required"))
        field = member(name) + (f"_{versions[0]}" if twice else "")
        tail, notation, argument = self.only(versions), name, ""
        if kind == "list":
            notation = name + ("[]" if p.get("serialization", "").startswith("json") else ".N")
            if p.get("item_type") == "object":
                fields = p.get("fields", [])
                if name == "Tag" and {f["name"] for f in fields} == {"Key", "Value"}:
                    self.includes.add("api/tags.hpp")
                    item, argument = "api::Tag", ", api::tag_fields"
                else:
                    item = self.struct_name(name + "Item" if name == self.action else name)
                    self.struct(item, [(f["name"], "std::string", "", "") for f in fields], "api::required" if any(f.get("required") for f in fields) else "api::optional")
                    argument = f", {snake(item)}_fields"
            else:
                item = {"int": "std::int32_t"}.get(p.get("item_type"), "std::string")
            members.append(f"std::vector<{item}> {field};")
            if p.get("max_items"):
                tail = f".at_most({p['max_items']})" + tail
        else:
            cpp = {"int": "std::int64_t" if p.get("format") == "int64" else "std::int32_t", "bool": "bool"}.get(kind, "std::string")
            if name == "SecureMobilePhone":
                self.includes.add("phone/mobile_number.hpp")
                cpp = "phone::MobileNumber"
            elif name in SECRETS:
                self.includes.add("base/secret.hpp")
                cpp = "base::Secret"
            default = p.get("default")
            argument = self.rule_of(p)
            if required:
                members.append(f"{cpp} {field}{begins(cpp)};")
            elif default is not None and (cpp != "std::string" or (str(default).isascii() and len(str(default)) < 60)):
                value = quoted(str(default)) if cpp == "std::string" else str(default).lower() if re.fullmatch(r"(?i)true|false|-?\d+", str(default)) else None
                members.append(f"std::optional<{cpp}> {field};" if value is None else f"{cpp} {field} = {value};")
            elif cpp in ("std::string", "base::Secret"):
                members.append(f"{cpp} {field};")  # empty: not given
            else:
                members.append(f"std::optional<{cpp}> {field};")
        word = "required" if required else "optional"
        return f'api::{word}<&Request::{field}>("{notation}"{argument}){tail}'

    def request(self):
        merged = self.merged([operation["params"] for operation in self.operations], "name")
        names = [p["name"] for p, _ in merged]
        members, lines = [], []
        grouped = set()
        for group, struct, fields, wanted in [(("PageNumber", "PageSize"), "api::Page page", "page_parameters", "int"), (("MaxResults", "NextToken"), "api::TokenPage token", "token_parameters", "int")]:
            parts = [(p, versions) for p, versions in merged if p["name"] in group]
            if len(parts) == 2 and parts[0][1] == parts[1][1] and parts[0][0]["type"] == wanted and not any(p.get("required") for p, _ in parts):
                self.includes.add("api/paging.hpp")
                grouped |= set(group)
                members.append(f"{struct};")
                lines.append(f"api::group<&Request::{struct.split()[1]}>(api::{fields}){self.only(parts[0][1])}")
        for p, versions in merged:
            if p["name"] not in grouped:
                lines.append(self.parameter(p, versions, members, names.count(p["name"]) > 1))
        return members, lines

    # ---- the answer --------------------------------------------------------------------------------------------------------

    def struct(self, name, fields, how="api::field"):
        """fields: (wire name, C++ type, tail, list of fields)"""
        text = f"struct {name} {{\n" + "".join(f"    {cpp} {member(wire.split('.')[0].removesuffix('[]'))}{begins(cpp)};\n" for wire, cpp, _, _ in fields) + "};\n"
        text += f"constexpr api::Field<{name}> {snake(name)}_fields[] = {{\n"
        for wire, _, tail, inner in fields:
            text += f'    {how}<&{name}::{member(wire.split(".")[0].removesuffix("[]"))}>("{wire}"{inner}){tail},\n'
        self.structs.append(text + "};\n")

    def answer_fields(self, owner, node):
        """The fields of one object: node is {name: (facts, versions, children)}."""
        fields = []
        for name, (facts, versions, inner) in node.items():
            plain, is_list = name.removesuffix("[]"), name.endswith("[]")
            wire, argument, kind = name, "", facts["type"]
            if kind == "object" and not is_list and len(inner) == 1 and next(iter(inner)).endswith("[]"):
                (item, (facts, _, inner)), = inner.items()
                wire, plain, is_list, kind = f"{name}.{item}", item.removesuffix("[]"), True, facts["type"]
            if kind == "object" and inner:
                if set(inner) == {"Key", "Value"}:
                    self.includes.add("api/tags.hpp")
                    cpp, argument = "api::Tag", ", api::tag_fields"
                else:
                    cpp = self.struct_name(plain, owner)
                    self.struct(cpp, self.answer_fields(cpp, inner))
                    argument = f", {snake(cpp)}_fields"
            else:
                cpp = {"int": "std::int32_t", "int32": "std::int32_t", "int64": "std::int64_t", "bool": "bool", "string": "std::string"}.get(kind, "api::Json")
            if cpp == "api::Json":
                self.notes.append(f"{facts['path']} is free JSON: give it its type if it has one")
            fields.append((wire, f"std::vector<{cpp}>" if is_list else cpp, self.only(versions), argument))
        return fields

    def answer(self):
        tree = {}
        for facts, versions in self.merged([operation["response_fields"] for operation in self.operations], "path"):
            if facts["path"] == "RequestId":
                continue
            node, parts = tree, facts["path"].split(".")
            for part in parts[:-1]:
                node = node.setdefault(part, ({"type": "object"}, versions, {}))[2]
            if parts[-1] in node:
                self.notes.append(f"{facts['path']}: the versions give it different types; only one is written")
            else:
                node[parts[-1]] = (facts, versions, {})
        members, lines = [], []
        page = ("PageNumber", "PageSize", "TotalCount")
        if all(name in tree and tree[name][0]["type"] == "int32" for name in page) and len({tuple(tree[name][1]) for name in page}) == 1:
            self.includes.add("api/paging.hpp")
            members.append("api::PageOf page;")
            lines.append(f"api::group<&Answer::page>(api::page_fields){self.only(tree[page[0]][1])}")
            for name in page:
                del tree[name]
        for wire, cpp, tail, inner in self.answer_fields("", tree):
            field = member(wire.split(".")[0].removesuffix("[]"))
            members.append(f"{cpp} {field}{begins(cpp)};")
            lines.append(f'api::field<&Answer::{field}>("{wire}"{inner}){tail}')
        return members, lines

    # ---- faults ------------------------------------------------------------------------------------------------------------

    def faults(self, catalogue, callers):
        """The lines of .faults. Those that follow from a rule or from who may call are the pipeline's, and not listed."""
        brought = {"NotSupport.Site.Action"}
        if callers == "management_ram_identity":
            brought |= {"CallerIdentityError"}
        if callers in ("management", "management_or_delegated"):
            brought |= {"EntityNotExists.ResourceDirectory"}
        if callers == "directory_account":
            brought |= {"ResourceDirectoryNotInUse"}
        parameters = {p["name"] for operation in self.operations for p in operation["params"]}
        lines = []
        for error, versions in self.merged([operation["errors"] for operation in self.operations], "code"):
            code, status, text = error["code"], error["status"], error.get("message")
            if code in brought or re.fullmatch(r"(Invalid|Missing)Parameter\.?(\w+)", code) and re.split(r"Parameter\.?", code)[1] in parameters:
                continue
            found = next((name for name, kind in catalogue.items() if kind[:2] == (code, status) and text in (None, kind[2])), None)
            if not found:
                if not text:
                    self.notes.append(f"{status} {code}: the vendor publishes no text, so it is not listed")
                    continue
                found = re.sub(r"\W", "_", snake(code.replace(".", "_")))
                while found in catalogue:
                    found += "_of_" + snake(self.action)
                catalogue[found] = (code, status, text)
                self.new_faults.append(f"inline constexpr Kind {found}{{{quoted(code)}, {status}, {quoted(text)}}};\n")
            lines.append((f"fault::{found}{self.only(versions)}", code))
        if any("message" not in error for operation in self.operations for error in operation["errors"]):
            self.notes.append("errors without a text that follow from a rule need a rule that answers with them (.refused_as)")
        return lines

    # ---- the room ----------------------------------------------------------------------------------------------------------

    def callers(self):
        who = self.first.get("who_may_call") or ""
        if "root of the management account is rejected" in who or "same prerequisite text as BindSecureMobilePhone" in who:
            return "management_ram_identity"
        if "delegated administrator" in who:
            return "management_or_delegated"
        if who.startswith("management account or any member"):
            return "directory_account"
        return "management" if who.startswith("management account") else "any_account"

    def resource(self):
        names = {p["name"] for operation in self.operations for p in operation["params"] if p["type"] == "string"}
        resources = " ".join(self.first.get("ram_resources") or [])
        for kind, where, name in [("account_in_tree", "account/", "AccountId"), ("folder_in_tree", "folder/", "FolderId"), ("folder_in_tree", "folder/", "ParentFolderId")]:
            if where in resources and name in names:
                return f"api::{kind}<&Request::{member(name)}>"
        if self.folder == "ram":
            for name in ("RoleName", "UserName"):
                if name in names and "role" in self.action.lower() + "user":
                    return f"api::{'role' if name == 'RoleName' else 'user'}<&Request::{member(name)}>"
        if len(resources.split()) > 1 or resources and "*:{uid}:*" not in resources and "account/*" not in resources:
            self.notes.append(f"the vendor's resource: {resources}")
        return "api::every_account" if "account/*" in resources else "api::every_control_policy" if "controlpolicy/" in resources else "api::everything"

    def write(self, catalogue):
        members, parameters = self.request()
        request_structs, self.structs = self.structs, []
        answer_members, answer = self.answer()
        callers = self.callers()
        faults = self.faults(catalogue, callers)
        reads = self.action.startswith(("Get", "List", "Lookup", "Describe", "Decode"))
        rate = re.match(r"(\d+)/s", self.first.get("rate_limit") or "")
        summary = self.first["summary"].rstrip(".") + "."
        block = lambda lines: "{\n" + "".join(f"        {line},\n" for line in lines) + "    },\n"
        action = self.first.get("ram_action") or f"{PRODUCTS[list(self.found)[-1]][1]}:{self.action}"
        out = [f"// {self.action}: {summary}\n"]
        out += [f'#include "{name}"\n' for name in sorted(self.includes)]
        out.append(f"\nnamespace openrd::operations::{self.folder} {{\nnamespace {{\n\n")
        out += [text + "\n" for text in request_structs]
        out.append("struct Request {\n" + "".join(f"    {line}\n" for line in members) + "};\n\n" if members else "using Request = api::Nothing;\n\n")
        out += [text + "\n" for text in self.structs]
        out.append("struct Answer {\n" + "".join(f"    {line}\n" for line in answer_members) + "};\n\n" if answer_members else "using Answer = api::Nothing;\n\n")
        out += [text + "\n" for text in self.rules] + (["\n"] if self.rules else [])
        out.append("Answer run(const Request&, api::Call&);\n\nconstexpr api::Operation<Request, Answer> operation{\n")
        out.append(f"    .name = {quoted(self.action)},\n    .summary = {quoted(summary)},\n    .served_as = {{{', '.join('api::' + version for version in self.versions)}}},\n")
        out.append(f"    .effect = api::Effect::{'read' if reads else 'write'},\n    .action = {quoted(action)},\n    .resource = {self.resource()},\n    .callers = api::Callers::{callers},\n")
        out.append(f"    .rate = api::per_second({rate[1]}),\n" if rate else "")
        out.append(f"    .parameters{block(parameters)}" if parameters else "")
        out.append(f"    .answer{block(answer)}" if answer else "")
        out.append(f"    .faults{block([line for line, _ in faults])}" if faults else "")
        out.append("    .run = run,\n};\n\n")
        body = f"throw operation.fault({faults[0][0].split('.only')[0]});" if faults else "return {};"
        out.append(f"Answer run(const Request&, api::Call&) {{\n    {body}\n}}\n\n}}  // namespace\n\n")
        out.append(f"extern constinit const api::AnyOperation {snake(self.action)}{{operation}};\n\n}}  // namespace openrd::operations::{self.folder}\n")
        return "".join(out), self.test([code for _, code in faults])

    def test(self, codes):
        known = {"AccountId": "blue_id", "SecureMobilePhone": "good_phone", "FolderId": '"fd-sandboxwrk"', "ParentFolderId": '"r-sandbx"', "DestinationFolderId": '"fd-sandboxwrk"'}
        given = []
        for p in self.first["params"]:
            if p.get("required") or p.get("doc_required"):
                name = p["name"] + (".1" if p["type"] == "list" else "")
                value = known.get(p["name"]) or quoted(str((p.get("enum") or [str(p.get("example", "1")).replace("*", "0")])[0]))
                given.append(f'{{"{name}", {value}}}')
        how = "" if self.versions[-1] == "master_2022" else ', {.version = "%s"}' % {"manager_2020": "2020-03-31", "ram_2015": "2015-05-01", "sts_2015": "2015-04-01", "trail_2020": "2020-07-06"}[self.versions[-1]]
        out = f'#include "support/sandbox.hpp"\n\n#include <gtest/gtest.h>\n\nnamespace openrd::tests {{\nnamespace {{\n\nconst Parameters asked = {{{", ".join(given)}}};\n\n'
        out += f'TEST({self.action}, DoesWhatItSays) {{\n    Sandbox sandbox;\n    const auto answer = sandbox.call("{self.action}", asked{how});\n    ASSERT_EQ(answer.status, 200) << answer;\n}}\n\n'
        for code in dict.fromkeys(codes):
            title = "".join(part[:1].upper() + part[1:] for part in re.split(r"\W", code))
            out += f'TEST({self.action}, Refuses{title}) {{\n    Sandbox sandbox;\n    EXPECT_EQ(sandbox.call("{self.action}", asked{how}).code(), "{code}");\n}}\n\n'
        return out + "}  // namespace\n}  // namespace openrd::tests\n"


def contracts(root):
    for product in PRODUCTS:
        folder = os.path.join(root, "contract")
        name = next(name for name in sorted(os.listdir(folder)) if name.startswith(product + "-"))
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            yield product, {operation["name"]: operation for operation in json.load(file)["operations"]}


def catalogue_of(text):
    """{constant: (code, status, text)} of api/faults.hpp."""
    kinds = re.findall(r'Kind (\w+)\{\s*"((?:[^"\\]|\\.)*)",\s*(\d+),\s*"((?:[^"\\]|\\.)*)"\}', text)
    return {name: (code, int(status), json.loads(f'"{words}"')) for name, code, status, words in kinds}


def with_line(text, folder, action):
    """The table of contents with one line more, sorted as CMake sorts."""
    found = re.search(rf"openrd_operations\({folder}\n(.*?)\)", text, re.DOTALL)
    names = sorted({*found[1].split(), action})
    return text[:found.start(1)] + "".join(f"  {name}\n" for name in names) + text[found.end(1):]


def choose(root, action, product, into):
    """({product: operation}, folder), or a message."""
    everywhere = dict(contracts(root))
    found = {name: operations[action] for name, operations in everywhere.items() if action in operations and product in (None, name)}
    if not found:
        near = difflib.get_close_matches(action, [name for operations in everywhere.values() for name in operations], 3)
        sys.exit(f"new: the contract has no {action}" + (f"; do you mean {' or '.join(dict.fromkeys(near))}?" if near else ""))
    if len({PRODUCTS[name][1] for name in found}) > 1:
        sys.exit(f"new: {action} is an operation of {' and of '.join(found)}: say which with --product")
    # The directory's part of ResourceManager is the older twin of ResourceDirectoryMaster.
    directory = "ResourceDirectoryMaster" in found or any("ram_action" in operation for operation in found.values())
    folder = into or ("resource_directory" if directory else PRODUCTS[list(found)[-1]][2])
    return found, folder


def new(root, action, product=None, into=None):
    """Writes it all; returns what is left to do."""
    found, folder = choose(root, action, product, into)
    home = f"{root}/src/operations/{folder}"
    path = f"{home}/{snake(action)}.cpp"
    if os.path.exists(path):
        sys.exit(f"new: {os.path.relpath(path, root)} is there already")
    faults_path = f"{root}/src/api/faults.hpp"
    with open(faults_path, encoding="utf-8") as file:
        faults = file.read()
    room = Room(action, found, folder)
    code, test = room.write(catalogue_of(faults))
    os.makedirs(home, exist_ok=True)
    if not os.path.exists(f"{home}/CMakeLists.txt"):
        with open(f"{home}/CMakeLists.txt", "w", encoding="utf-8") as file:
            file.write(f"# The operations of {' and '.join(found)}, sorted.\nopenrd_operations({folder}\n)\n")
        with open(f"{root}/src/operations/CMakeLists.txt", encoding="utf-8") as file:
            table = file.read()
        folders = sorted({*re.findall(r"^add_subdirectory\((\w+)\)\n", table, re.MULTILINE), folder})
        table = re.sub(r"(^add_subdirectory\(\w+\)\n)+", "".join(f"add_subdirectory({name})\n" for name in folders), table, flags=re.MULTILINE)
        with open(f"{root}/src/operations/CMakeLists.txt", "w", encoding="utf-8") as file:
            file.write(table)
    with open(f"{home}/CMakeLists.txt", encoding="utf-8") as file:
        contents = with_line(file.read(), folder, action)
    if room.new_faults:
        end = faults.rindex("\n}  // namespace openrd::fault")
        faults = faults[:end] + f"\n// ---- new with {action} ----\n" + "".join(room.new_faults) + faults[end:]
    for name, text in [(f"{home}/CMakeLists.txt", contents), (faults_path, faults), (path, code), (path.replace(".cpp", "_test.cpp"), test)]:
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    written = [path, path.replace(".cpp", "_test.cpp")]
    for rule in room.first.get("rules") or []:
        room.notes.append(f"rule: {rule}")
    for error in room.first.get("unlisted_errors") or []:
        room.notes.append(f"seen in clients, though not in the table: {error.get('http')} {error['code']} ({error.get('evidence')})")
    return written, room.notes


def main():
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("action")
    asked.add_argument("--product", choices=PRODUCTS)
    asked.add_argument("--into")
    asked = asked.parse_args()
    written, notes = new(ROOT, asked.action, asked.product, asked.into)
    subprocess.run([f"{ROOT}/dev", "format", *written, f"{ROOT}/src/api/faults.hpp"], check=True)
    for path in written:
        print(os.path.relpath(path, ROOT))
    print("Left for you: run, the states of its tests, and:" if notes else "Left for you: run and the states of its tests.")
    for note in dict.fromkeys(notes):
        print(f"  - {note}")


if __name__ == "__main__":
    main()

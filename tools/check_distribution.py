#!/usr/bin/env python3
"""check_distribution.py [--self-test]: the schema and every statement can be served by two engines and by a cluster of databases.

A table whose key begins with directory_id or account_id is distributed by it: its unique indexes must have the column, and a
statement that touches it must say which directory or account it means, so that one shard answers. What goes to all shards all the
same stands in ACROSS with its reason. Also: the words that one engine or a cluster refuses, or understands otherwise."""
import os
import re
import sys
import tempfile

import sources

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

OWNERS = ("directory_id", "account_id")
# Tables that belong to no directory and no account: by what they are distributed, or why they are everywhere.
OTHERS = {
    "facts": "what the database says of itself: a few rows, on every node",
    "checkpoints": "of the one log: written by its one sealer",
    "leases": "who does what there is to do once: a few rows",
    "schema_compatibility": "one row",
    "rates": "bucket",
    "phone_uses": "phone_index",
    "suppressions": "phone_index",
    "code_samples": "calling_code",
    "country_brakes": "calling_code",
    "access_keys": "access_key_id",
}
# The column by which each of these is distributed.
DISTRIBUTED_OTHERS = {table: column for table, column in OTHERS.items() if re.fullmatch(r"\w+", column)}

# Statements that do not name their directory or account: function, or function.statement, with the reason.
ACROSS = {
    "tables": "the sandbox's reset: every row of every table",
    "nonces_of_entries": "a copy of the whole database into another",
    "list_accounts": "for operators and exports, by the key of all accounts: pages over all shards",
    "list_access_keys": "a key's shard is that of its id; for operators only, by the index of the account",
    "append_audit_event.numbered": "on a file alone: Transaction::shared() takes the other text",
    "number_audit_events.waiting": "the sealer, one at a time; its updates each go to one shard",
    "has_events_to_number": "the sealer, one at a time",
    "count_audit_events": "the operator's count",
    "delete_old_nonces": "the sweeper",
    "has_old_nonces": "the sweeper",
    "audit_events_after": "the sealer and the export read the whole log in its order",
    "last_arrival": "the sealer, one at a time",
    "used_nonces": "a restarted server on a file",
    "list_due_messages": "the dispatcher looks for what is due, whosoever it is; each message is then claimed on its own shard",
    "list_messages": "for operators",
    "search_message": "for operators who have only the message's id",
    "count_dead_messages": "the operator's count",
    "oldest_message_end_ms": "the sweeper of old messages",
    "delete_old_messages.old": "the sweeper of old messages; each is then deleted on its own shard",
    "list_unjudged_messages": "the dispatcher counts what became of codes, whosoever they were; each is then judged on its own shard",
    "next_message_due_ms": "the dispatcher asks when to wake",
    "count_messages": "the operator's count",
    "count_messages_by_state": "the metrics page",
    "list_sealed": "the job that reseals, and what counts what is left: pages over all shards",
    "list_indexed": "the job that moves blind indexes: pages over all shards",
    "list_subject_indexes": "the same",
    "list_phone_uses": "the same",
    "count_codes_under_way": "the operator's question whether a code key can go",
    "count_destroyed_subjects": "what an export says of itself",
    "has_old_windows": "the sweeper of counters",
    "delete_old_windows": "the sweeper of counters",
    "list_suppressions": "for operators: pages over all shards",
    "list_paused_countries": "for operators: a row a country at most",
}

# In a statement or a migration: what, and what is wrong with it.
REFUSED = [
    (r"\bnow\s*\(|\bcurrent_(timestamp|time|date)\b|\bdatetime\s*\(|\bstrftime\s*\(|\bjulianday\s*\(", "time is the application's, in milliseconds"),
    (r"\bI?LIKE\b|\bGLOB\b|\bREGEXP\b|\bSIMILAR\b|~~?\*?", "the engines compare otherwise: replace(folded, $n, '') <> folded"),
    (r"\bFOR\s+(UPDATE|SHARE|NO\s+KEY)\b|\bSKIP\s+LOCKED\b", "a lock is written /*for update*/, on one shard; never over several"),
    (r"\b(BIG|SMALL)?SERIAL\b|\bSEQUENCE\b|\bnextval\s*\(|\bAUTOINCREMENT\b|\bGENERATED\b|\blast_insert_rowid\b|\browid\b", "no sequences: a shard would have its own"),
    (r"\bREFERENCES\b|\bFOREIGN\s+KEY\b", "no foreign keys: they do not cross shards"),
    (r"\bJSONB?\b|\bjson_\w+\s*\(|->>?", "no JSON in the database"),
    (r"\bINSERT\s+OR\b|\bREPLACE\s+INTO\b", "ON CONFLICT"),
    (r"::\s*\w", "CAST(... AS ...)"),
    (r"\bTRIGGER\b|\bPROCEDURE\b|\bCREATE\s+FUNCTION\b|\bCREATE\s+(TEMP|TEMPORARY)\b|\bVIEW\b", "the schema has tables and indexes"),
    (r"\bCOLLATE\b", "the database is in byte order as a whole"),
    (r"\b(ifnull|total|group_concat|string_agg|random|gen_random_uuid|avg|instr|strpos|position|printf|to_char|unixepoch|typeof|hex|encode|char_length)\s*\(", "not both engines have it"),
    (r"(?<!CAST\()(?<!coalesce\()\bsum\s*\(", "CAST(sum(...) AS BIGINT): PostgreSQL's is numeric"),
    (r"\bLIMIT\s+[^ ,)]+\s*,", "LIMIT ... OFFSET ..."),
    (r"\bIS\s+(NOT\s+)?\$|\bIS\s+(NOT\s+)?'", "IS compares with NULL alone"),
    (r"\bNULLS\s+(FIRST|LAST)\b|\bTRUNCATE\b|\bLATERAL\b|\bWITHOUT\s+ROWID\b", "not both engines have it"),
    (r"\?\d*(?!\w)", "$1, $2..."),
    (r"\"", "no quoted names"),
    (r"\bINTEGER\b|\bINT\d*\b|\bBYTEA\b|\bVARCHAR\b|\bBOOLEAN\b|\bREAL\b|\bDOUBLE\b|\bNUMERIC\b|\bTIMESTAMPTZ?\b", "types are TEXT, BIGINT and BLOB"),
]

FOR_UPDATE = "/*for update*/"


def without_texts(sql):
    return re.sub(r"'(?:[^']|'')*'", "''", sql)


def refused_words(sql):
    text = without_texts(re.sub(r"--[^\n]*|/\*.*?\*/", " ", sql, flags=re.DOTALL))
    for what, instead in REFUSED:
        found = re.search(what, text, re.IGNORECASE)
        if found:
            yield f"{found[0].strip()}: {instead}"


# --- the schema ----------------------------------------------------------------------------------------------------------------

def statements_of(text):
    text = re.sub(r"--[^\n]*|/\*.*?\*/", " ", text, flags=re.DOTALL)
    return [" ".join(part.split()) for part in re.split(r";\s*(?:\n|$)", text) if part.strip()]


def columns_of(body):
    """The columns of CREATE TABLE (...), and those of its keys, the primary one first."""
    columns, keys = {}, []
    for part in re.split(r",(?![^(]*\))", body):
        part = part.strip()
        key = re.match(r"(?:CONSTRAINT \w+ )?(?:PRIMARY KEY|UNIQUE) ?\(([^)]*)\)", part, re.IGNORECASE)
        if key:
            keys.insert(0 if "PRIMARY" in key[0].upper() else len(keys), [name.strip() for name in key[1].split(",")])
            continue
        name, kind = (part.split() + [""])[:2]
        columns[name] = kind
        if re.search(r"\bPRIMARY KEY\b|\bUNIQUE\b", part, re.IGNORECASE):
            keys.insert(0 if "PRIMARY KEY" in part.upper() else len(keys), [name])
    return columns, keys


class Schema:
    def __init__(self):
        self.tables = {}  # name: its columns
        self.by = {}      # name: the column that distributes it; None: on every node
        self.faults = []

    def take(self, path, sql):
        self.faults += [f"{path}: {said}: {sql[:70]}" for said in refused_words(sql)]
        created = re.match(r"CREATE TABLE (?:IF NOT EXISTS )?(\w+) ?\((.*)\)", sql, re.IGNORECASE)
        index = re.match(r"CREATE (UNIQUE )?INDEX (?:IF NOT EXISTS )?\w+ ON (\w+) ?\(([^)]*)\)", sql, re.IGNORECASE)
        added = re.match(r"ALTER TABLE (\w+) ADD COLUMN (\w+) (\w+)", sql, re.IGNORECASE)
        renamed = re.match(r"ALTER TABLE (\w+) RENAME TO (\w+)", sql, re.IGNORECASE)
        if created:
            self.take_table(path, created[1], *columns_of(created[2]))
        elif index and index[1]:
            self.take_unique(path, index[2], [name.strip().split()[0] for name in index[3].split(",")], sql)
        elif added:
            self.take_column(path, added[1], added[2], added[3])
            self.tables.setdefault(added[1], {})[added[2]] = added[3]
        elif renamed and renamed[1] in self.tables:
            self.tables[renamed[2]], self.by[renamed[2]] = self.tables.pop(renamed[1]), self.by.pop(renamed[1])

    def take_table(self, path, table, columns, keys):
        self.tables[table] = columns
        first = keys[0][0] if keys else ""
        self.by[table] = first if first in OWNERS else DISTRIBUTED_OTHERS.get(table)
        if first not in OWNERS and table not in OTHERS:
            self.faults.append(f"{path}: {table}: its key begins with neither directory_id nor account_id, and it is not in OTHERS of tools/check_distribution.py")
        for name, kind in columns.items():
            self.take_column(path, table, name, kind)
        for key in keys:
            self.take_unique(path, table, key, f"a key of {table}")

    def take_column(self, path, table, name, kind):
        if kind.upper() not in ("TEXT", "BIGINT", "BLOB"):
            self.faults.append(f"{path}: {table}.{name}: {kind}: types are TEXT, BIGINT and BLOB")

    def take_unique(self, path, table, columns, what):
        column = self.by.get(table)
        if column and column not in columns:
            self.faults.append(f"{path}: {what[:80]}: a unique key of {table} has its {column}: no shard knows the keys of another")


def schema_of(root):
    schema = Schema()
    for path in sources.tracked(root):
        if re.match(r"src/db/migrations/\d{4}_\w+\.sql$", path):  # the general texts; those of one engine are its own business
            for sql in statements_of(sources.text_of(root, path)):
                schema.take(path, sql)
    return schema


# --- the statements ------------------------------------------------------------------------------------------------------------

def sql_texts(cpp):
    """(line, name, SQL) of every statement; name is function.statement."""
    tokens = [(found.start(), found.end(), found["raw"] if found["raw"] is not None else found["text"]) for found in sources.TOKEN.finditer(cpp)]
    texts = [token for token in tokens if token[2] is not None]
    functions = [(found.start(), found[1]) for found in re.finditer(r"^[A-Za-z][^\n;]*?\b(\w+)\([^;{]*\)[^;{]*\{", cpp, re.MULTILINE)]
    i = 0
    while i < len(texts):
        start, end, text = texts[i]
        while i + 1 < len(texts) and not cpp[end:texts[i + 1][0]].strip():
            i += 1
            end, text = texts[i][1], text + texts[i][2]
        i += 1
        if not re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b", text):
            continue
        function = next((name for at, name in reversed(functions) if at < start), "")
        variable = re.search(r"(\w+)\s*\{\s*$", cpp[:start])
        yield cpp.count("\n", 0, start) + 1, function, variable[1] if variable else "", text.replace("\\n", " ")


TABLE = re.compile(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)(?:\s+(?:AS\s+)?(?!(?:SET|WHERE|ON|ORDER|JOIN|LEFT|LIMIT|VALUES|SELECT|GROUP|RETURNING|INNER|CROSS|USING|UNION|DEFAULT)\b)(\w+))?", re.IGNORECASE)


def statement_faults(sql, schema):
    """What is wrong with it: (kind, text). Kind `across`: it goes to more than one shard."""
    for said in refused_words(sql):
        yield "refused", said
    plain = without_texts(re.sub(r"/\*.*?\*/", " ", sql))
    bound = 0
    wanted = []
    for found in TABLE.finditer(re.sub(r"\bDO\s+UPDATE\b|\bFOR\s+UPDATE\b", " ", plain, flags=re.IGNORECASE)):
        table, alias = found[1], found[2]
        if table not in schema.tables:
            continue
        column = schema.by[table]
        if not column:
            continue
        if re.match(r"INTO", found[0], re.IGNORECASE):
            listed = re.search(rf"\bINTO\s+{table}\s*\(([^)]*)\)", plain)
            if not listed or column not in [name.strip() for name in listed[1].split(",")]:
                yield "refused", f"INSERT INTO {table} without {column}"
            target = re.search(r"\bON\s+CONFLICT\s*\(([^)]*)\)", plain)
            if target and column not in [name.strip() for name in target[1].split(",")]:
                yield "refused", f"ON CONFLICT without {column}"
            continue
        if re.match(r"UPDATE", found[0], re.IGNORECASE) and re.search(rf"\bSET\b(?:(?!\bWHERE\b).)*?(?:\bSET\s+|,\s*){column}\s*=", plain):
            yield "refused", f"changes {column}, by which {table} is distributed"
        wanted.append((table, column, alias))
    for table, column, alias in wanted:
        said = rf"(?<![\w.]){alias}\.{column}\b" if alias else rf"(?<![\w.])(?:{table}\.)?{column}\b"
        if not re.search(rf"{said}\s*=\s*(?:\$\d+|\w+\.\w+)|=\s*{said}", plain):
            yield "across", f"does not say which {column} of {table} it means"
        bound += 1
    columns = {column for _, column, _ in wanted}
    if len(columns) > 1:
        yield "across", f"joins what is distributed by {' and by '.join(sorted(columns))}"
    # As many as there are tables: a second use of one, in a subquery, says it again.
    said = len(re.findall(rf"\b(?:{'|'.join(columns)})\s*=\s*(?:\$\d+|\w+\.\w+)", plain)) if columns else 0
    if len(columns) == 1 and said < len(wanted):
        yield "across", f"names a table {len(wanted)} times and its {next(iter(columns))} {said} times"


def check(root, across=None):
    across = ACROSS if across is None else across
    schema = schema_of(root)
    found, used = list(schema.faults), set()
    for path in sources.tracked(root):
        if not path.startswith("src/store/") or not sources.is_cpp(path) or sources.is_test(path):
            continue
        for line, function, variable, sql in sql_texts(sources.text_of(root, path)):
            for kind, said in statement_faults(sql, schema):
                names = {function, f"{function}.{variable}"} & across.keys()
                if kind == "across" and names and FOR_UPDATE not in sql:
                    used |= names
                    continue
                found.append(f"{path}:{line}: {function}.{variable}: {said}")
    found = list(dict.fromkeys(found))
    return found, sorted(across.keys() - used)


GOOD_SCHEMA = """-- A comment; with a semicolon.
CREATE TABLE members (
  directory_id TEXT NOT NULL,
  account_id TEXT NOT NULL, -- now() is only spoken of
  n BIGINT,
  PRIMARY KEY (directory_id, account_id)
) /*clustered*/;
CREATE UNIQUE INDEX members_by_n ON members (directory_id, n);
CREATE INDEX members_of_all ON members (n) WHERE n IN (1, 2);
CREATE TABLE users (account_id TEXT NOT NULL, user_id TEXT, phone BLOB, PRIMARY KEY (account_id, user_id));
CREATE TABLE facts (name TEXT NOT NULL PRIMARY KEY);
ALTER TABLE users ADD COLUMN more TEXT;
"""
GOOD_STATEMENTS = [
    "SELECT m.n FROM members m JOIN members b ON b.directory_id = m.directory_id WHERE m.directory_id = $1",
    "INSERT INTO members (directory_id, account_id) VALUES ($1, 'now() LIKE') ON CONFLICT (directory_id, account_id) DO UPDATE SET n = excluded.n",
    "UPDATE members SET account_id = $2 WHERE directory_id = $1 AND n IS NOT NULL RETURNING n",
    "DELETE FROM users WHERE account_id = $1",
    "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM members WHERE directory_id = $1 /*for update*/",
    "SELECT name FROM facts",
]
BAD_SCHEMA = [
    ("CREATE TABLE a (b TEXT NOT NULL PRIMARY KEY);\n", "begins with neither"),
    ("CREATE TABLE a (account_id TEXT, b TEXT UNIQUE, PRIMARY KEY (account_id, b));\n", "a unique key of a has its account_id"),
    ("CREATE TABLE a (account_id TEXT, b TEXT, PRIMARY KEY (account_id));\nCREATE UNIQUE INDEX c ON a (b);\n", "a unique key of a has its account_id"),
    ("CREATE TABLE a (account_id TEXT PRIMARY KEY, b JSON);\n", "no JSON"),
    ("CREATE TABLE a (account_id TEXT PRIMARY KEY, b FLOAT);\n", "types are TEXT"),
    ("CREATE TABLE a (account_id TEXT PRIMARY KEY, b TEXT REFERENCES c (d));\n", "no foreign keys"),
    ("ALTER TABLE a ADD COLUMN b SERIAL;\n", "no sequences"),
]
BAD_STATEMENTS = [
    ("SELECT n FROM members WHERE account_id = $1", "does not say which directory_id of members"),
    ("SELECT n FROM members WHERE directory_id > $1", "does not say which directory_id of members"),
    ("SELECT m.n FROM members m JOIN users u ON u.account_id = m.account_id WHERE m.directory_id = $1", "joins what is distributed by"),
    ("SELECT n FROM members WHERE directory_id = $1 AND n = (SELECT max(n) FROM members)", "names a table 2 times"),
    ("UPDATE users SET more = $2 WHERE user_id = $1", "does not say which account_id of users"),
    ("UPDATE users SET more = $2, account_id = $3 WHERE account_id = $1", "changes account_id"),
    ("INSERT INTO users (user_id) VALUES ($1)", "INSERT INTO users without account_id"),
    ("INSERT INTO users (account_id, user_id) VALUES ($1, $2) ON CONFLICT (user_id) DO NOTHING", "ON CONFLICT without account_id"),
    ("DELETE FROM users", "does not say which account_id of users"),
    ("SELECT name FROM facts WHERE name LIKE $1", "LIKE: the engines compare otherwise"),
    ("SELECT now()", "time is the application's"),
    ("SELECT sum(n) FROM members WHERE directory_id = $1", "CAST(sum"),
    ("SELECT name FROM facts FOR UPDATE", "a lock is written"),
    ("SELECT name FROM facts WHERE name = ?", "$1, $2"),
    ("SELECT n FROM members /*for update*/", "does not say which directory_id of members"),
]


def self_test():
    with tempfile.TemporaryDirectory() as root:
        def write(path, text):
            os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
            with open(f"{root}/{path}", "w", encoding="utf-8") as file:
                file.write(text)

        def function(sql, name="find_it"):
            return f'void {name}(db::Transaction& tx) {{\n    static constexpr db::Sql sql{{\n        "{sql[:10]}"\n        "{sql[10:]}"}};\n    tx.run(sql);\n}}\n'
        sources.subprocess.run(["git", "init", "-q", root], check=True)
        write("src/db/migrations/0001_a.sql", GOOD_SCHEMA)
        write("src/store/good.cpp", "\n".join(function(sql) for sql in GOOD_STATEMENTS))
        assert check(root, {}) == ([], []), check(root, {})
        for text, said in BAD_SCHEMA:
            write("src/db/migrations/0002_b.sql", text)
            found, _ = check(root, {})
            assert found and said in found[0], (text, said, found)
            os.remove(f"{root}/src/db/migrations/0002_b.sql")
        for sql, said in BAD_STATEMENTS:
            write("src/store/bad.cpp", function(sql, "bad_one"))
            found, _ = check(root, {})
            assert found and said in found[0] and found[0].startswith("src/store/bad.cpp:3: bad_one.sql: "), (sql, said, found)
        write("src/store/bad.cpp", function("DELETE FROM users", "bad_one"))
        assert check(root, {"bad_one": "why"}) == ([], [])
        assert check(root, {"bad_one.sql": "why", "gone": "why"}) == ([], ["gone"])
        write("src/store/bad.cpp", function("SELECT n FROM members /*for update*/", "bad_one"))
        assert check(root, {"bad_one": "why"})[0], "a lock over several shards has no excuse"


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    found, unused = check(ROOT)
    found += [f"tools/check_distribution.py: ACROSS: {name}: no such statement goes across shards any more" for name in unused]
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(bool(found))


main()

#include "db/postgres/programs.hpp"

#include "db/postgres/connection.hpp"
#include "db/postgres/run_program.hpp"
#include "db/postgres/schema.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <map>
#include <memory>
#include <string_view>

namespace openrd::db::postgres {
namespace {

constexpr int oldest_program = 14;  // as libpq's (libpq.cpp)

struct Words {
    std::string database;  // keyword='value' ...
    std::vector<std::string> environment;
};

std::string quoted(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

Words words_of(const std::string& url) {
    const Libpq& pq = Libpq::get();
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(pq.conninfo_free)> options(pq.conninfo_parse(url.c_str(), &message), pq.conninfo_free);
    if (message) pq.free_memory(message);  // it may quote the URL
    if (!options) throw Error(Trouble::unavailable, fmt::format("{} is no URL of a database", shown(url)));
    Words words;
    for (const auto* option = options.get(); option->keyword; ++option) {
        if (!option->val) continue;
        const std::string_view keyword(option->keyword);
        if (keyword == "password") words.environment.push_back(fmt::format("PGPASSWORD={}", option->val));
        else if (keyword == "sslpassword")
            throw Error(Trouble::unavailable, "sslpassword would stand among the arguments of pg_dump: use a key without it, or run pg_dump yourself");
        else words.database += fmt::format("{}{}={}", words.database.empty() ? "" : " ", keyword, quoted(option->val));
    }
    return words;
}

std::string usable_program(const std::string& name) {
    auto path = find_program(name);
    const auto ran = run_program(path, {"--version"});
    // "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)"
    constexpr std::string_view mark = "(PostgreSQL) ";
    const auto at = ran.output.find(mark);
    int major = 0;
    if (at != ran.output.npos) std::from_chars(ran.output.data() + at + mark.size(), ran.output.data() + ran.output.size(), major);
    if (ran.status != 0 || major < oldest_program)
        throw Error(Trouble::unavailable, fmt::format("{} is too old, or does not say its version: that of PostgreSQL {} or newer is needed", path, oldest_program));
    return path;
}

Ran run_on(const std::string& file, const std::string& path, const std::vector<std::string>& arguments) {
    auto ran = run_program(path, arguments);
    if (ran.status != 0) throw Error(Trouble::damaged, fmt::format("{} is damaged or no backup of a PostgreSQL database: {}", file, ran.words));
    return ran;
}

// The rows of a table as the text of the dump has them: the first column, and the others with tabs between them.
std::map<std::string, std::string> rows_in(const std::string& file, const std::string& path, const std::string& table) {
    const auto text = run_on(file, path, {"--data-only", "--table=" + table, "--file=-", file}).output;
    std::map<std::string, std::string> rows;
    bool within = false;
    for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != text.npos; at = end + 1) {
        const auto line = std::string_view(text).substr(at, end - at);
        if (line == "\\.") within = false;
        else if (!within) within = line.starts_with("COPY ");
        else if (const auto tab = line.find('\t'); tab != line.npos) rows.emplace(line.substr(0, tab), line.substr(tab + 1));
    }
    return rows;
}

// version, name, checksum, applied_at_ms
std::vector<Applied> migrations_in(const std::string& file, const std::string& path) {
    std::map<int, Applied> found;
    for (const auto& [version, rest] : rows_in(file, path, "schema_migrations")) {
        Applied one;
        std::from_chars(version.data(), version.data() + version.size(), one.version);
        const auto name_end = rest.find('\t');
        if (name_end != rest.npos) one.checksum = rest.substr(name_end + 1, rest.find('\t', name_end + 1) - name_end - 1);
        found[one.version] = one;
    }
    std::vector<Applied> result;
    result.reserve(found.size());
    for (const auto& [version, one] : found) result.push_back(one);
    return result;
}

void check_file(const std::string& file) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0) throw Error(Trouble::unavailable, fmt::format("cannot read {}: there is no such file", file));
    if (!S_ISREG(facts.st_mode)) throw Error(Trouble::damaged, fmt::format("{} is no regular file", file));
}

void refuse_relations(const std::string& url, const Sql& count) {
    Connection connection({.url = url});
    check_database(connection);
    ResultRows rows;
    rows.begin(connection.ask(count, {}, Terms::Time::now() + std::chrono::seconds(15)));
    if (!rows.step() || rows.integer(0) != 0) throw Error(Trouble::unavailable, fmt::format("the database {} is not empty", shown(url)));
}

// Of whatever kind: tables, indexes, views.
void refuse_unless_empty(const std::string& url) {
    static constexpr Sql relations{"SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema()"};
    refuse_relations(url, relations);
}

}  // namespace

void refuse_tables_of_others(const std::string& url) {
    // What a migration that was broken off leaves: schema.cpp makes it first.
    static constexpr Sql relations{
        "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = current_schema() "
        "AND c.relname NOT IN ('schema_migrations', 'schema_migrations_pkey')"};
    refuse_relations(url, relations);
}

void dump(const std::string& url, const std::string& file) {
    const auto path = usable_program("pg_dump");
    const auto words = words_of(url);
    const auto ran = run_program(path, {"--format=custom", "--no-owner", "--no-privileges", "--no-password", "--file=" + file, "--dbname=" + words.database}, words.environment);
    if (ran.status != 0) throw Error(Trouble::unavailable, fmt::format("pg_dump has failed: {}", ran.words));
    run_on(file, usable_program("pg_restore"), {"--file=/dev/null", file});
}

void restore_dump(const std::string& file, const std::string& url, std::span<const Migration> known, const std::function<void(const FactsOf& fact)>& check) {
    const auto path = usable_program("pg_restore");
    check_file(file);
    run_on(file, path, {"--file=/dev/null", file});
    const auto applied = migrations_in(file, path);
    if (applied.empty()) throw Error(Trouble::damaged, fmt::format("{} is no backup of openrd: it has no schema_migrations", file));
    pending(known, applied, 0);
    const auto facts = rows_in(file, path, "facts");
    check([&](const std::string& name) {
        const auto found = facts.find(name);
        return found == facts.end() ? std::string() : found->second;
    });
    refuse_unless_empty(url);
    const auto words = words_of(url);
    const auto ran =
        run_program(path, {"--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-password", "--dbname=" + words.database, file}, words.environment);
    if (ran.status != 0) throw Error(Trouble::unavailable, fmt::format("pg_restore has failed, and nothing was changed: {}", ran.words));
}

}  // namespace openrd::db::postgres

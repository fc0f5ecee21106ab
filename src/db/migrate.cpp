#include "db/migrate.hpp"

#include "base/text.hpp"
#include "db/engine.hpp"

#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <optional>

namespace openrd::db {
namespace {

constexpr std::size_t digits = 4;
constexpr std::string_view clustered = "/*clustered*/";

struct FileName {
    int version = 0;
    std::string name;
    std::optional<Dialect> dialect;  // none: for all that have no file of their own
};

bool take_end(std::string_view& text, std::string_view end) {
    if (!text.ends_with(end)) return false;
    text.remove_suffix(end.size());
    return true;
}

FileName parsed(std::string_view file) {
    FileName result;
    std::string_view rest = file;
    bool good = take_end(rest, ".sql");
    if (take_end(rest, ".sqlite")) result.dialect = Dialect::sqlite;
    if (take_end(rest, ".postgres")) result.dialect = Dialect::postgres;
    good = good && rest.size() > digits + 1 && rest[digits] == '_' && rest.find('.') == std::string_view::npos;
    if (good) {
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + digits, result.version);
        good = error == std::errc() && end == rest.data() + digits && result.version > 0;
    }
    if (!good) throw Error(Trouble::programming, fmt::format("{} is not the name of a migration (NNNN_name.sql)", file));
    result.name = rest.substr(digits + 1);
    return result;
}

std::string checksum_of(std::string_view bytes) {
    std::array<unsigned char, crypto_hash_sha256_BYTES> hash{};
    crypto_hash_sha256(hash.data(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
    return base::hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// BLOB is what PostgreSQL calls BYTEA.
std::string with_bytea(std::string text) {
    constexpr std::string_view blob = "BLOB", bytea = "BYTEA";
    for (std::size_t at = 0; (at = text.find(blob, at)) != std::string::npos; at += bytea.size()) {
        const bool whole = (at == 0 || !in_word(text[at - 1])) && (at + blob.size() == text.size() || !in_word(text[at + blob.size()]));
        if (whole) text.replace(at, blob.size(), bytea);
    }
    return text;
}

std::string in_dialect(std::string_view text, Dialect dialect) {
    std::string result(text);
    if (dialect == Dialect::postgres) return with_bytea(std::move(result));
    for (std::size_t at = 0; (at = result.find(clustered, at)) != std::string::npos;) result.replace(at, clustered.size(), "WITHOUT ROWID");
    return result;
}

// Walks through SQL text, one character, quoted text or comment at a time.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool at_end() const { return at_ >= text_.size(); }
    std::size_t at() const { return at_; }
    // True when what was passed is neither space nor comment.
    bool pass() {
        const char c = text_[at_];
        const std::string_view rest = text_.substr(at_);
        if (rest.starts_with("--")) return skip_behind("\n", 2), false;
        if (rest.starts_with("/*")) return skip_behind("*/", 2), false;
        if (c == '\'' || c == '"') return skip_behind(std::string_view(&text_[at_], 1), 1), true;
        ++at_;
        return !space(c);
    }
    // Whether only spaces, or a comment to the end of the line, follow on the line.
    bool at_line_end() const {
        const std::size_t next = text_.find_first_not_of(" \t\r", at_);
        return next == std::string_view::npos || text_[next] == '\n' || text_.substr(next).starts_with("--");
    }

  private:
    static bool space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
    void skip_behind(std::string_view end, std::size_t opening) {
        const std::size_t found = text_.find(end, at_ + opening);
        at_ = found == std::string_view::npos ? text_.size() : found + end.size();
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

}  // namespace

std::vector<std::string> statements_of(std::string_view text) {
    std::vector<std::string> result;
    std::optional<std::size_t> start;  // of the statement, behind the comments before it
    const auto finish = [&](std::size_t end) {
        if (start) result.emplace_back(text.substr(*start, end - *start));
        start.reset();
    };
    for (Scanner scanner(text); !scanner.at_end();) {
        const std::size_t at = scanner.at();
        const bool significant = scanner.pass();
        if (significant && text[at] == ';' && scanner.at_line_end()) {
            finish(at);
        } else if (significant && !start) {
            start = at;
        }
    }
    finish(text.size());
    return result;
}

std::vector<Migration> migrations_for(Dialect dialect, std::span<const embedded::File> files) {
    std::map<int, std::pair<FileName, const embedded::File*>> chosen;
    for (const embedded::File& file : files) {
        FileName name = parsed(file.name);
        if (name.dialect && *name.dialect != dialect) continue;
        auto& [known, with] = chosen[name.version];
        const bool same_kind = with && known.dialect.has_value() == name.dialect.has_value();
        if (same_kind || (with && known.name != name.name)) throw Error(Trouble::programming, fmt::format("migration {:04} is there twice", name.version));
        if (!with || name.dialect) {
            known = std::move(name);
            with = &file;
        }
    }
    std::vector<Migration> result;
    for (const auto& [version, name_and_file] : chosen) {
        const auto& [name, file] = name_and_file;
        result.push_back({.version = version, .name = name.name, .checksum = checksum_of(file->bytes), .statements = statements_of(in_dialect(file->bytes, dialect))});
    }
    return result;
}

std::span<const Migration> pending(std::span<const Migration> known, std::span<const Applied> applied, int works_from) {
    const int newest = known.empty() ? 0 : known.back().version;
    if (!applied.empty() && applied.back().version > newest && (works_from == 0 || works_from > newest))
        throw Error(Trouble::newer, fmt::format("the database was made by a newer openrd (schema {}, this one knows {})", applied.back().version, newest));
    for (std::size_t i = 0; i < std::min(applied.size(), known.size()); ++i) {
        // Migrations are run in order, so that those which were run are the first ones.
        if (applied[i].version != known[i].version) throw Error(Trouble::damaged, fmt::format("the database and this openrd differ in migration {:04}", applied[i].version));
        if (applied[i].checksum != known[i].checksum)
            throw Error(Trouble::damaged, fmt::format("migration {:04}_{} was changed after the database had run it", known[i].version, known[i].name));
    }
    return known.subspan(std::min(applied.size(), known.size()));
}

}  // namespace openrd::db

#pragma once
// What the tests share: a log in a database of its own, and an export that can be damaged.
#include "audit/export.hpp"
#include "audit/seal.hpp"
#include "audit/verify.hpp"
#include "db/open.hpp"
#include "store/audit_events.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::audit::testing {

inline constexpr const char* origin = "log.example.com/audit";

// A directory of its own that goes away.
class TemporaryDirectory {
  public:
    TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    ~TemporaryDirectory();
    std::filesystem::path operator/(std::string_view name) const { return path_ / name; }
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

keys::Ring ring_of(char key);

class Log {
  public:
    explicit Log(char key = 'k');

    // As the pipeline writes them. Give the next entries numbers: the body of the n-th is body(n).
    void append(int count);
    void append_body(std::string body);
    static std::string body(std::int64_t number);
    void run(const db::Sql& sql);  // somebody with the database's password

    Head seal() { return seal_now(*engine, ring, origin, clock); }
    ExportReport export_to(const std::filesystem::path& out, std::uint64_t entries_per_file = 100'000) {
        return export_log(*engine, ring, clock, {.directory = out, .origin = origin, .entries_per_file = entries_per_file});
    }
    std::vector<store::Checkpoint> checkpoints();
    std::vector<store::AuditEvent> events();
    Hash root();  // recomputed from the rows, as the RFC defines it
    void reopen();

    TemporaryDirectory directory;
    keys::Ring ring;
    base::Clock clock;
    std::unique_ptr<db::Engine> engine;

  private:
    void open();
    std::int64_t appended_ = 0;
};

// RFC 6962, 2.1, word for word: slow, and unlike the tree in tree.hpp.
Hash root_by_definition(const std::vector<Hash>& leaves);

[[nodiscard]] bool eventually(const std::function<bool()>& condition);  // at most half a minute

std::string read_file(const std::filesystem::path& path);
void write_file(const std::filesystem::path& path, std::string_view text);
std::vector<std::string> lines_of(const std::filesystem::path& path);
void write_lines(const std::filesystem::path& path, const std::vector<std::string>& lines);

// An export with the key file that the auditor has kept elsewhere.
struct Exported {
    TemporaryDirectory directory;
    std::filesystem::path out = directory / "out";
    std::filesystem::path key = directory / "kept.pub";
    std::filesystem::path log = out / "log" / "000000.ndjson";
    std::filesystem::path leaves = out / "leaves" / "000000.sha256";

    explicit Exported(Log& from, std::uint64_t entries_per_file = 100'000);
    // Without a database, written by hand: as many entries as the largest of the sizes at which a checkpoint is made.
    Exported(const std::vector<std::size_t>& sealed_at, std::size_t entries_per_file);
    VerifyReport verify() const { return audit::verify(out, key); }
    void edit_lines(const std::filesystem::path& path, const std::function<void(std::vector<std::string>&)>& edit) const;
};

// `lines` in numbered files of so many lines each, in the place of the folder's files.
void write_numbered(const std::filesystem::path& folder, std::string_view suffix, const std::vector<std::string>& lines, std::size_t lines_per_file);

std::string joined(const std::vector<std::string>& texts);

}  // namespace openrd::audit::testing

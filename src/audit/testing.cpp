#include "audit/testing.hpp"

#include "base/identifiers.hpp"
#include "base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace openrd::audit::testing {

namespace fs = std::filesystem;

TemporaryDirectory::TemporaryDirectory() {
    std::string name = (fs::temp_directory_path() / "openrd-audit-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary directory");
    path_ = name;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

keys::Ring ring_of(char key) { return keys::Ring(base::Secret(std::string(32, key))); }

Log::Log(char key) : ring(ring_of(key)) { open(); }

void Log::open() { engine = db::open({.directory = (directory / "data").string(), .create = true, .durable = false, .first_content = {}}); }

void Log::reopen() {
    engine->close();
    engine.reset();
    open();
}

std::string Log::body(std::int64_t number) {
    return fmt::format(R"({{"eventId":"{}","eventName":"BindSecureMobilePhone","requestParameters":{{"AccountId":"{}"}}}})", number, number * 7919);
}

void Log::append(int count) {
    engine->write_and_wait([&](db::Transaction& tx) {
        auto number = store::last_arrival(tx);
        for (int i = 0; i < count; ++i) {
            store::AuditEvent event{.account_id = "1000000000000001", .at_ms = 1'700'000'000'000 + number, .event_id = base::request_id(), .body = body(++number)};
            store::append_audit_event(tx, event, {});
        }
    });
}

void Log::append_body(std::string body) {
    engine->write_and_wait([&](db::Transaction& tx) {
        store::AuditEvent event{.account_id = "1000000000000001", .at_ms = 1'700'000'000'000, .event_id = base::request_id(), .body = body};
        store::append_audit_event(tx, event, {});
    });
}

void Log::run(const db::Sql& sql) {
    engine->write_and_wait([&](db::Transaction& tx) {
        tx.run(sql);
        tx.changed(db::Topic::audit);
    });
}

std::vector<store::Checkpoint> Log::checkpoints() {
    std::vector<store::Checkpoint> checkpoints;
    engine->read([&](db::Transaction& tx) { checkpoints = store::list_checkpoints(tx, -1, 1'000'000); });
    return checkpoints;
}

std::vector<store::AuditEvent> Log::events() {
    std::vector<store::AuditEvent> events;
    engine->read([&](db::Transaction& tx) { events = store::audit_events_after(tx, 0, 1'000'000); });
    return events;
}

Hash Log::root() {
    std::vector<Hash> leaves;
    for (const auto& event : events()) leaves.push_back(leaf_hash(event.body));
    return root_by_definition(leaves);
}

Hash root_by_definition(const std::vector<Hash>& leaves) {
    if (leaves.empty()) return sha256("");
    if (leaves.size() == 1) return leaves[0];
    std::size_t k = 1;
    while (k * 2 < leaves.size()) k *= 2;
    const auto middle = leaves.begin() + static_cast<std::ptrdiff_t>(k);
    const Hash left = root_by_definition({leaves.begin(), middle}), right = root_by_definition({middle, leaves.end()});
    return sha256("\x01" + std::string(bytes_of(left)) + std::string(bytes_of(right)));
}

bool eventually(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

std::string read_file(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path.string());
    return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const fs::path& path, std::string_view text) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file << text;
    if (!file.flush()) throw std::runtime_error("cannot write " + path.string());
}

std::vector<std::string> lines_of(const fs::path& path) {
    std::vector<std::string> lines;
    std::istringstream text(read_file(path));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

void write_lines(const fs::path& path, const std::vector<std::string>& lines) {
    std::string text;
    for (const auto& line : lines) text += line + "\n";
    write_file(path, text);
}

Exported::Exported(Log& from, std::uint64_t entries_per_file) {
    from.export_to(out, entries_per_file);
    fs::copy_file(out / "audit.pub", key);
}

Exported::Exported(const std::vector<std::size_t>& sealed_at, std::size_t entries_per_file) {
    const auto ring = ring_of('k');
    fs::create_directories(out / "checkpoints");
    write_file(key, verifier_key(ring, origin).text() + "\n");
    fs::copy_file(key, out / "audit.pub");
    std::vector<std::string> entries, hashes;
    std::vector<Hash> tree;
    for (const auto size : sealed_at) {
        while (entries.size() < size) {
            entries.push_back(Log::body(static_cast<std::int64_t>(entries.size()) + 1));
            tree.push_back(leaf_hash(entries.back()));
            hashes.push_back(base::hex(bytes_of(tree.back())));
        }
        write_file(out / "checkpoints" / fmt::format("{}.txt", size), sign({.origin = origin, .size = size, .root = root_by_definition(tree)}, ring));
    }
    write_numbered(out / "log", ".ndjson", entries, entries_per_file);
    write_numbered(out / "leaves", ".sha256", hashes, entries_per_file);
}

void write_numbered(const fs::path& folder, std::string_view suffix, const std::vector<std::string>& lines, std::size_t lines_per_file) {
    fs::remove_all(folder);
    fs::create_directory(folder);
    for (std::size_t from = 0; from == 0 || from < lines.size(); from += lines_per_file) {
        const auto begin = lines.begin() + static_cast<std::ptrdiff_t>(from);
        const auto end = lines.begin() + static_cast<std::ptrdiff_t>(std::min(lines.size(), from + lines_per_file));
        write_lines(folder / fmt::format("{:06}{}", from / lines_per_file, suffix), {begin, end});
    }
}

void Exported::edit_lines(const fs::path& path, const std::function<void(std::vector<std::string>&)>& edit) const {
    auto lines = lines_of(path);
    edit(lines);
    write_lines(path, lines);
}

std::string joined(const std::vector<std::string>& texts) { return fmt::format("{}", fmt::join(texts, "\n")); }

}  // namespace openrd::audit::testing

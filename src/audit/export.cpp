#include "audit/export.hpp"

#include "audit/earlier_export.hpp"
#include "audit/output.hpp"
#include "base/text.hpp"
#include "store/audit_events.hpp"
#include "store/erasure.hpp"
#include "store/key_uses.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace openrd::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t batch_rows = 256, batch_checkpoints = 256;

// Where the export goes, absolute and without a link, so that it can be replaced by renaming.
fs::path place_of(const fs::path& directory) {
    std::error_code error;
    auto place = fs::weakly_canonical(fs::absolute(directory, error), error).lexically_normal();
    if (!error && !place.has_filename()) place = place.parent_path();
    if (error || directory.empty() || !place.has_filename()) throw ExportError(fmt::format("'{}' cannot be the directory of an export", directory.string()));
    if (!fs::is_directory(place.parent_path(), error)) throw ExportError(fmt::format("there is no directory {}", place.parent_path().string()));
    return place;
}

class Export {
  public:
    Export(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, const ExportOptions& options)
        : engine_(engine), ring_(ring), clock_(clock), options_(options), place_(place_of(options.directory)) {}
    ExportReport run();

  private:
    void seal();
    void write_entries();
    void write_entry(const store::AuditEvent& event);
    bool next_batch(std::vector<store::AuditEvent>& events);
    void write_checkpoints_of(std::uint64_t size);
    bool next_checkpoint();
    void write_checkpoint(const store::Checkpoint& checkpoint);
    void write_note(const char* folder, const std::string& file, std::string_view text);
    void read_keys();
    void write_key_changes();
    void make_folder(const char* name);
    void keep_earlier_notes();
    void warn(std::string text) { report_.warnings.push_back(std::move(text)); }

    db::Engine& engine_;
    const keys::Ring& ring_;
    const base::Clock& clock_;
    const ExportOptions& options_;
    const fs::path place_;
    std::vector<std::string> key_changes_;
    std::optional<KeyChain> keys_;
    std::optional<EarlierExport> earlier_;
    ExportReport report_;

    std::optional<store::Checkpoint> last_;  // what is exported ends with it
    std::int64_t last_arrival_ = 0;
    std::int64_t arrival_ = 0;  // of the entry written last
    bool in_order_ = true;
    Tree tree_;
    std::vector<store::Checkpoint> checkpoints_;  // the next ones
    std::size_t checkpoints_used_ = 0;
    std::int64_t checkpoints_after_ = -1;
    bool checkpoints_end_ = false;
    std::optional<std::uint64_t> mismatch_;

    std::unique_ptr<NewDirectory> fresh_;
    std::unique_ptr<NumberedOutput> log_, leaves_;
};

void Export::seal() {
    bool sealed = true;
    try {
        seal_now(engine_, ring_, options_.origin, clock_);
    } catch (const Unsealable& error) {
        sealed = false;
        warn(error.what());
    }
    engine_.read([&](db::Transaction& tx) {
        last_ = store::last_checkpoint(tx);
        last_arrival_ = store::last_arrival(tx);
    });
    // What has come since is left for the next export: every entry is covered. Unless nothing can be sealed any more.
    if (sealed) last_arrival_ = last_ ? last_->tree_size : 0;
}

bool Export::next_batch(std::vector<store::AuditEvent>& events) {
    std::vector<store::Checkpoint> same;
    engine_.read([&](db::Transaction& tx) {
        events = store::audit_events_after(tx, arrival_, batch_rows);
        if (last_) same = store::list_checkpoints(tx, last_->tree_size - 1, 1);
    });
    if (last_ && (same.empty() || same[0].tree_size != last_->tree_size || same[0].root != last_->root)) throw ExportError("the audit log was begun anew while it was exported");
    std::erase_if(events, [this](const store::AuditEvent& event) { return event.arrival > last_arrival_; });
    return !events.empty();
}

void Export::write_entry(const store::AuditEvent& event) {
    if (in_order_ && event.arrival != arrival_ + 1) {
        warn(event.arrival > arrival_ ? fmt::format("entry {} is missing from the database: entry {} follows entry {}", arrival_ + 1, event.arrival, arrival_)
                                      : fmt::format("entry {} is in the database twice", event.arrival));
        in_order_ = false;
    }
    arrival_ = event.arrival;
    std::string body = event.body;
    if (body.find('\n') != body.npos) {
        warn(fmt::format("entry {} is more than one line", event.arrival));
        std::replace(body.begin(), body.end(), '\n', ' ');
    }
    const Hash leaf = leaf_hash(body);
    tree_.add(leaf);
    earlier_->compare(leaf, tree_);
    log_->line(body);
    leaves_->line(base::hex(bytes_of(leaf)));
    write_checkpoints_of(tree_.size());
}

bool Export::next_checkpoint() {
    if (checkpoints_used_ < checkpoints_.size()) return true;
    if (checkpoints_end_) return false;
    checkpoints_used_ = 0;
    engine_.read([&](db::Transaction& tx) { checkpoints_ = store::list_checkpoints(tx, checkpoints_after_, batch_checkpoints); });
    std::erase_if(checkpoints_, [this](const store::Checkpoint& checkpoint) { return !last_ || checkpoint.tree_size > last_->tree_size; });
    checkpoints_end_ = checkpoints_.empty();
    if (!checkpoints_end_) checkpoints_after_ = checkpoints_.back().tree_size;
    return !checkpoints_end_;
}

// Those of at most this size: a size that was passed over is one that no tree of these entries has.
void Export::write_checkpoints_of(std::uint64_t size) {
    while (next_checkpoint() && std::cmp_less_equal(checkpoints_[checkpoints_used_].tree_size, size)) write_checkpoint(checkpoints_[checkpoints_used_++]);
}

void Export::write_checkpoint(const store::Checkpoint& checkpoint) {
    const auto ours = own_checkpoint(checkpoint.note, checkpoint.root, checkpoint.tree_size, *keys_);
    if (!ours) warn(fmt::format("the checkpoint of {} entries in the database is not one of {}: {}", checkpoint.tree_size, options_.origin, ours.error()));
    else if (!mismatch_ && (ours->size != tree_.size() || ours->root != tree_.root())) mismatch_ = ours->size;
    report_.sealed = std::max(report_.sealed, static_cast<std::uint64_t>(std::max<std::int64_t>(checkpoint.tree_size, 0)));
    ++report_.checkpoints;
    write_note(checkpoints_folder, fmt::format("{}{}", checkpoint.tree_size, note_suffix), checkpoint.note);
}

void Export::write_note(const char* folder, const std::string& file, std::string_view text) {
    OutputFile note(fresh_->path() / folder / file);
    note.write(text);
    note.finish();
}

void Export::keep_earlier_notes() {
    for (const auto& note : earlier_->notes()) {
        std::error_code error;
        if (!fs::exists(fresh_->path() / checkpoints_folder / note.file, error)) ++report_.checkpoints;
        write_note(checkpoints_folder, note.file, note.text);
        report_.sealed = std::max(report_.sealed, note.size);
    }
}

void Export::write_entries() {
    log_ = std::make_unique<NumberedOutput>(fresh_->path() / log_folder, log_suffix, options_.entries_per_file);
    leaves_ = std::make_unique<NumberedOutput>(fresh_->path() / leaves_folder, leaves_suffix, options_.entries_per_file);
    for (std::vector<store::AuditEvent> events; next_batch(events);)
        for (const auto& event : events) write_entry(event);
    write_checkpoints_of(UINT64_MAX);
    log_->finish();
    leaves_->finish();
    earlier_->finish();
    if (mismatch_) warn(fmt::format("the log in the database does not fit its checkpoint of {} entries: it was changed after it was signed", *mismatch_));
}

void Export::make_folder(const char* name) {
    std::error_code error;
    if (!fs::create_directory(fresh_->path() / name, error)) throw ExportError(fmt::format("{} cannot be written: {}", fresh_->path().string(), error.message()));
}

// After what is exported was sealed: a change that comes later concerns nothing in it.
void Export::read_keys() {
    engine_.read([&](db::Transaction& tx) { key_changes_ = store::list_key_changes(tx); });
    auto keys = own_chain(ring_, options_.origin, key_changes_);
    if (!keys) throw ExportError(keys.error());
    keys_ = *std::move(keys);
    earlier_.emplace(place_, *keys_);
}

void Export::write_key_changes() {
    if (key_changes_.empty()) return;
    make_folder(key_changes_folder);
    for (std::size_t i = 0; i < key_changes_.size(); ++i) write_note(key_changes_folder, numbered_name(i + 1, note_suffix), key_changes_[i]);
}

ExportReport Export::run() {
    seal();
    read_keys();
    fresh_ = std::make_unique<NewDirectory>(place_);
    OutputFile key(fresh_->path() / key_file_name);
    key.write(keys_->newest().text() + "\n");
    key.finish();
    write_key_changes();
    make_folder(checkpoints_folder);
    write_entries();
    // An empty log is a log, too: that it was empty is what is signed.
    if (!last_ && tree_.size() == 0) {
        ++report_.checkpoints;
        write_note(checkpoints_folder, fmt::format("0{}", note_suffix), sign({.origin = options_.origin, .size = 0, .root = tree_.root()}, ring_));
    }
    keep_earlier_notes();
    engine_.read([&](db::Transaction& tx) { report_.erased_subjects = store::count_destroyed_subjects(tx); });
    report_.entries = tree_.size();
    report_.added = tree_.size() - earlier_->entries();
    fresh_->put_in_place();
    return report_;
}

}  // namespace

ExportReport export_log(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, const ExportOptions& options) {
    if (!valid_origin(options.origin)) throw std::invalid_argument("the origin of the audit log must be a name without spaces and '+', such as example.com/audit");
    return Export(engine, ring, clock, options).run();
}

}  // namespace openrd::audit

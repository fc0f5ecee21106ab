#include "audit/verify.hpp"

#include "audit/checkpoint.hpp"
#include "audit/files.hpp"
#include "audit/key_change.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace openrd::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_file_bytes = 4096;
constexpr std::size_t most_key_changes = 10'000;
constexpr std::size_t named_notes = 5;  // of the checkpoints that are not valid, so that the rest of the report is seen

struct Signed {
    std::uint64_t size;
    Hash root;
    std::string file;
};

// What is seen at the first entry of a stretch where the line and its leaf hash do not belong together.
struct Difference {
    enum class Kind : std::uint8_t { changed, removed, added, exchanged };
    std::uint64_t entry = 0;
    std::string line_place, leaf_place;
    bool line_ended = false;
    Kind kind = Kind::changed;
};

// A file's name as it may be shown: it is somebody else's, and a terminal obeys control characters.
std::string shown(const fs::path& path) {
    std::string name = path.filename().string();
    std::replace_if(
        name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f; }, '?');
    return name;
}

class Verification {
  public:
    Verification(const fs::path& directory, const fs::path& key_file) : directory_(directory), log_(directory), leaves_(directory) { run(key_file); }
    VerifyReport take() { return std::move(report_); }

  private:
    void run(const fs::path& key_file);
    bool read_key(const fs::path& key_file);
    bool read_key_changes();
    void compare_own_key();
    void read_checkpoints();
    void read_checkpoint(const fs::path& path);
    void find_forks();
    void read_entries();
    void compare(std::uint64_t entry, const std::optional<Hash>& line, const std::optional<Hash>& leaf);
    void classify(std::uint64_t entry, const std::optional<Hash>& line, const std::optional<Hash>& leaf);
    void check_root(std::uint64_t size, const Hash& root);
    void conclude();
    void conclude_lengths();
    void problem(std::string text) { report_.problems.push_back(std::move(text)); }
    void note_problem(std::string text);

    const fs::path directory_;
    VerifyReport report_;
    VerifierKey key_;
    std::optional<KeyChain> keys_;
    std::vector<Signed> signed_;  // smallest first
    std::size_t note_problems_ = 0;
    LogReader log_;
    LeavesReader leaves_;

    // Equal until a line and its leaf hash differ; from the next head that one of them proves, again.
    Tree log_tree_, leaves_tree_;
    bool together_ = true;
    bool log_ended_ = false, leaves_ended_ = false;
    std::uint64_t leaves_count_ = 0;
    std::uint64_t proven_ = 0;        // entries up to the last head that matched
    bool lost_ = false;               // a head matched neither: nothing after it can be checked
    std::optional<Difference> here_;  // since the last head
    std::optional<Difference> in_log_, in_leaves_;
    std::optional<std::pair<Hash, Hash>> before_;  // line and leaf of the entry before, when they differ
};

void Verification::note_problem(std::string text) {
    if (note_problems_++ < named_notes) problem(std::move(text));
}

bool Verification::read_key(const fs::path& key_file) {
    const auto text = read_small_file(key_file, key_file_bytes);
    if (!text) {
        problem(fmt::format("{} {}", key_file.string(), text.error()));
        return false;
    }
    auto key = parse_verifier_key(*text);
    if (!key) {
        problem(fmt::format("{}: {}", key_file.string(), key.error()));
        return false;
    }
    key_ = std::move(*key);
    report_.origin = key_.origin;
    return true;
}

// Nothing there: the log has had one key.
bool Verification::read_key_changes() {
    std::vector<std::string> notes;
    std::error_code error;
    while (fs::exists(directory_ / key_changes_folder / numbered_name(notes.size() + 1, note_suffix), error)) {
        const auto name = fmt::format("{}/{}", key_changes_folder, numbered_name(notes.size() + 1, note_suffix));
        auto note = read_small_file(directory_ / name, note_bytes);
        if (!note) {
            problem(fmt::format("{} {}", name, note.error()));
            return false;
        }
        notes.push_back(*std::move(note));
        if (notes.size() > most_key_changes) break;
    }
    auto keys = KeyChain::of_notes(notes, key_);
    if (!keys) {
        problem(keys.error());
        return false;
    }
    keys_ = *std::move(keys);
    if (keys_->changes() != 0) report_.notes.push_back(fmt::format("the log's key was changed {} times; its newest one is {}", keys_->changes(), keys_->newest().text()));
    return true;
}

// The export's copy of the key proves nothing, but one that says otherwise is worth knowing.
void Verification::compare_own_key() {
    std::error_code error;
    if (!fs::exists(directory_ / key_file_name, error)) return;
    const auto text = read_small_file(directory_ / key_file_name, key_file_bytes);
    if (!text) return problem(fmt::format("{} {}", key_file_name, text.error()));
    const auto key = parse_verifier_key(*text);
    if (!key) return problem(fmt::format("{}: {}", key_file_name, key.error()));
    if (!keys_->holds(*key)) problem(fmt::format("{} is not the key that this export was to be verified with", key_file_name));
}

void Verification::read_checkpoint(const fs::path& path) {
    const auto name = fmt::format("{}/{}", checkpoints_folder, shown(path));
    const auto note = read_small_file(path, note_bytes);
    if (!note) return note_problem(fmt::format("{} {}", name, note.error()));
    const auto checkpoint = keys_->parse_and_verify(*note);
    if (!checkpoint) return note_problem(fmt::format("{}: {}", name, checkpoint.error()));
    signed_.push_back({.size = checkpoint->size, .root = checkpoint->root, .file = name});
}

void Verification::read_checkpoints() {
    std::error_code error;
    for (fs::directory_iterator it(directory_ / checkpoints_folder, error), end; !error && it != end; it.increment(error))
        if (it->path().extension() == note_suffix) read_checkpoint(it->path());
    if (error) problem(fmt::format("{} cannot be listed: {}", checkpoints_folder, error.message()));
    std::sort(signed_.begin(), signed_.end(), [](const Signed& a, const Signed& b) { return a.size != b.size ? a.size < b.size : a.file < b.file; });
    find_forks();
    report_.checkpoints = signed_.size();
    if (note_problems_ > named_notes) problem(fmt::format("{} more checkpoints are not valid", note_problems_ - named_notes));
    if (signed_.empty()) return problem("there is no valid checkpoint: nobody vouches for any entry");
    report_.sealed = signed_.back().size;
}

void Verification::find_forks() {
    for (std::size_t i = 1; i < signed_.size(); ++i)
        if (signed_[i].size == signed_[i - 1].size && signed_[i].root != signed_[i - 1].root)
            note_problem(fmt::format("{} and {} are both signed but differ: two histories were signed", signed_[i - 1].file, signed_[i].file));
}

// Called for the entry after a difference: only then it is seen what happened.
void Verification::classify(std::uint64_t entry, const std::optional<Hash>& line, const std::optional<Hash>& leaf) {
    const bool line_moved_up = leaf == before_->first, line_moved_down = line == before_->second;
    if (!line_moved_up && !line_moved_down) return;
    const auto kind = line_moved_up && line_moved_down ? Difference::Kind::exchanged : line_moved_up ? Difference::Kind::removed : Difference::Kind::added;
    for (auto* difference : {&here_, &in_log_, &in_leaves_})
        if (*difference && (*difference)->entry == entry - 1) (*difference)->kind = kind;
}

void Verification::compare(std::uint64_t entry, const std::optional<Hash>& line, const std::optional<Hash>& leaf) {
    if (before_) classify(entry, line, leaf);
    before_.reset();
    if (line && leaf && *line == *leaf) return;
    if (line && leaf) before_.emplace(*line, *leaf);
    if (together_) {
        leaves_tree_ = log_tree_;
        together_ = false;
    }
    // An export without leaf hashes is not a damaged one.
    if (!here_ && leaves_.lines().there())
        here_ = Difference{.entry = entry, .line_place = log_.lines().place(), .leaf_place = leaf ? leaves_.lines().place() : "", .line_ended = !line};
}

void Verification::check_root(std::uint64_t size, const Hash& root) {
    const bool log_right = !log_ended_ && log_tree_.root() == root;
    const bool leaves_right = together_ ? log_right : !leaves_ended_ && leaves_tree_.root() == root;
    if (!log_right && !leaves_right) {
        lost_ = true;
        report_.damaged_range.emplace(proven_ + 1, size);
        return;
    }
    proven_ = size;
    if (here_ && !log_right && !in_log_) in_log_ = here_;
    if (here_ && !leaves_right && !in_leaves_) in_leaves_ = here_;
    here_.reset();
    if (!log_right) log_tree_ = leaves_tree_;
    together_ = !log_ended_ && !leaves_ended_;
    if (!together_) leaves_tree_ = log_tree_;
}

void Verification::read_entries() {
    auto next_head = signed_.begin();
    const auto check_heads = [&](std::uint64_t size) {
        for (bool checked = false; next_head != signed_.end() && next_head->size == size; ++next_head, checked = true)
            if (!checked && !lost_) check_root(size, next_head->root);
    };
    check_heads(0);
    for (std::uint64_t entry = 1;; ++entry) {
        const auto line = log_.next();
        const auto leaf = leaves_.next();
        if (!line && !leaf) break;
        log_ended_ = !line;
        leaves_ended_ = !leaf;
        if (line) ++report_.entries;
        if (leaf) ++leaves_count_;
        compare(entry, line, leaf);
        if (line) log_tree_.add(*line);
        if (leaf && !together_) leaves_tree_.add(*leaf);
        check_heads(entry);
    }
}

void Verification::conclude_lengths() {
    const auto sealed = report_.sealed;
    report_.unsealed = report_.entries > sealed ? report_.entries - sealed : 0;
    if (sealed == 0 && report_.entries > 0 && !signed_.empty()) problem("only the empty log was signed: nobody vouches for any entry");
    if (report_.entries < sealed) {
        problem(fmt::format("the log is cut: it has {} entries, the checkpoint of {} is signed", report_.entries, sealed));
        // Without anything that reaches the next head, what stands between the last one that matched and the end is unproven too.
        if (!lost_ && !in_log_) {
            if (proven_ == report_.entries) report_.first_damaged = proven_ + 1;
            else report_.damaged_range.emplace(proven_ + 1, sealed);
        }
    }
    if (!leaves_.lines().there()) report_.notes.push_back(fmt::format("{} is not there: a damaged entry can only be narrowed down to between two checkpoints", leaves_folder));
    else if (leaves_count_ < report_.entries && !in_log_) problem(fmt::format("{} has only {} hashes of {} entries", leaves_folder, leaves_count_, report_.entries));
    else if (leaves_count_ > std::max(report_.entries, sealed)) problem(fmt::format("{} has {} hashes, the log {} entries", leaves_folder, leaves_count_, report_.entries));
    if (report_.unsealed > 0) report_.notes.push_back(fmt::format("{} entries after the last checkpoint are not sealed: nobody vouches for them", report_.unsealed));
}

std::string words_of(const Difference& difference) {
    if (difference.line_ended) return fmt::format("entry {} and all after it are missing from the log", difference.entry);
    switch (difference.kind) {
        case Difference::Kind::removed:
            return fmt::format("entry {} was removed: {} holds the entry after it", difference.entry, difference.line_place);
        case Difference::Kind::added:
            return fmt::format("{} was put in before entry {}: it was never signed", difference.line_place, difference.entry);
        case Difference::Kind::exchanged:
            return fmt::format("entry {} has changed places with the one after it ({})", difference.entry, difference.line_place);
        case Difference::Kind::changed:
            break;
    }
    return fmt::format("entry {} is not what was signed ({})", difference.entry, difference.line_place);
}

void Verification::conclude() {
    if (in_log_) {
        report_.first_damaged = in_log_->entry;
        problem(words_of(*in_log_));
    }
    if (in_leaves_ && !in_leaves_->leaf_place.empty())
        problem(fmt::format("{} is not the leaf hash of entry {}; the log itself is right there", in_leaves_->leaf_place, in_leaves_->entry));
    if (lost_) {
        const auto [first, last] = *report_.damaged_range;
        problem(
            fmt::format("entries {} to {} are not what the checkpoint of {} entries signed: at least one was changed, removed, added or moved; nothing after them can be checked",
                        first, last, last));
    }
    if (here_ && !lost_ && here_->entry <= std::min(report_.entries, leaves_count_))
        problem(fmt::format("{} is not the leaf hash of {}, and no checkpoint tells which is right", here_->leaf_place, here_->line_place));
    conclude_lengths();
    for (const auto& text : log_.lines().problems()) problem(text);
    for (const auto& text : leaves_.problems()) problem(text);
    if (!log_.lines().there()) problem(fmt::format("{} is not there", log_folder));
}

void Verification::run(const fs::path& key_file) {
    if (!read_key(key_file)) return;
    std::error_code error;
    if (!fs::is_directory(directory_, error)) return problem(fmt::format("{} is not a directory", directory_.string()));
    if (!read_key_changes()) return;
    compare_own_key();
    read_checkpoints();
    read_entries();
    conclude();
}

}  // namespace

VerifyReport verify(const fs::path& export_directory, const fs::path& key_file) { return Verification(export_directory, key_file).take(); }

std::string VerifyReport::text() const {
    std::string text;
    for (const auto& problem : problems) text += fmt::format("problem: {}\n", problem);
    for (const auto& note : notes) text += fmt::format("note: {}\n", note);
    if (!ok()) return text + fmt::format("FAILED: {} entries, {} valid checkpoints{}{}\n", entries, checkpoints, origin.empty() ? "" : " of ", origin);
    return text + fmt::format("OK: {} entries, {} checkpoints of {}, the last one of {} entries\n", entries, checkpoints, origin, sealed);
}

}  // namespace openrd::audit

#include "audit/earlier_export.hpp"

#include "audit/export.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>
#include <utility>

namespace openrd::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_file_bytes = 4096;

[[noreturn]] void refuse(const fs::path& directory, const std::string& why) { throw ExportError(fmt::format("{} is left as it is: {}", directory.string(), why)); }

std::vector<fs::path> list(const fs::path& directory) {
    std::vector<fs::path> paths;
    std::error_code error;
    for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) paths.push_back(it->path());
    if (error) throw ExportError(fmt::format("{} cannot be listed: {}", directory.string(), error.message()));
    return paths;
}

}  // namespace

EarlierExport::EarlierExport(fs::path directory, const KeyChain& keys) : directory_(std::move(directory)) {
    std::error_code error;
    if (!fs::exists(directory_, error)) return;
    if (!fs::is_directory(directory_, error)) refuse(directory_, "it is not a directory");
    if (list(directory_).empty()) return;
    look_through();
    const auto text = read_small_file(directory_ / key_file_name, key_file_bytes);
    if (!text) refuse(directory_, fmt::format("it is not an export of an audit log: {} {}", key_file_name, text.error()));
    const auto theirs = parse_verifier_key(*text);
    if (!theirs) refuse(directory_, fmt::format("{}: {}", key_file_name, theirs.error()));
    if (theirs->origin != keys.newest().origin) refuse(directory_, fmt::format("it is the export of another log, {}; this one is {}", theirs->origin, keys.newest().origin));
    if (!keys.holds(*theirs)) refuse(directory_, fmt::format("it is the export of another log {}, which was signed with another key", theirs->origin));
    read_notes(keys);
    log_ = std::make_unique<LogReader>(directory_);
    ended_ = false;
    compare_notes(Tree());
}

// What is not of an export would be lost with the older one.
void EarlierExport::look_through() {
    const auto known = [this](const fs::path& folder, std::string_view suffix) {
        std::error_code error;
        if (!fs::exists(directory_ / folder, error)) return;
        if (!fs::is_directory(directory_ / folder, error)) refuse(directory_, fmt::format("{} is not a directory", folder.string()));
        for (const auto& path : list(directory_ / folder))
            if (path.extension() != suffix || !fs::is_regular_file(fs::symlink_status(path, error)))
                refuse(directory_, fmt::format("{} does not belong to an export", (folder / path.filename()).string()));
    };
    constexpr std::array<std::string_view, 5> names = {key_file_name, key_changes_folder, checkpoints_folder, log_folder, leaves_folder};
    for (const auto& path : list(directory_))
        if (std::find(names.begin(), names.end(), path.filename().string()) == names.end())
            refuse(directory_, fmt::format("{} does not belong to an export", path.filename().string()));
    known(key_changes_folder, note_suffix);
    known(checkpoints_folder, note_suffix);
    known(log_folder, log_suffix);
    known(leaves_folder, leaves_suffix);
}

void EarlierExport::read_notes(const KeyChain& keys) {
    std::error_code error;
    if (!fs::exists(directory_ / checkpoints_folder, error)) return;
    for (const auto& path : list(directory_ / checkpoints_folder)) {
        const auto name = path.filename().string();
        auto text = read_small_file(path, note_bytes);
        if (!text) refuse(directory_, fmt::format("{}/{} {}", checkpoints_folder, name, text.error()));
        const auto checkpoint = keys.parse_and_verify(*text);
        if (!checkpoint) refuse(directory_, fmt::format("{}/{}: {}", checkpoints_folder, name, checkpoint.error()));
        notes_.push_back({.size = checkpoint->size, .root = checkpoint->root, .file = name, .text = std::move(*text)});
    }
    std::sort(notes_.begin(), notes_.end(), [](const Note& a, const Note& b) { return a.size != b.size ? a.size < b.size : a.file < b.file; });
}

void EarlierExport::compare_notes(const Tree& tree) {
    for (; notes_compared_ < notes_.size() && notes_[notes_compared_].size == tree.size(); ++notes_compared_)
        if (notes_[notes_compared_].root != tree.root())
            refuse(directory_, fmt::format("its checkpoint of {} entries is signed, and the log in the database does not fit it", tree.size()));
}

void EarlierExport::compare(const Hash& leaf, const Tree& tree) {
    if (!ended_) {
        const auto line = log_->next();
        if (line && *line != leaf) refuse(directory_, fmt::format("it is not an older export of this log: {} is not entry {} of the database", log_->lines().place(), tree.size()));
        if (line) ++entries_;
        ended_ = !line;
    }
    compare_notes(tree);
}

void EarlierExport::finish() {
    if (!ended_ && log_->next()) refuse(directory_, fmt::format("it is not an older export of this log: it goes on after the {} entries of the database", entries_));
    if (log_ && !log_->lines().problems().empty()) refuse(directory_, log_->lines().problems().front());
    if (notes_compared_ < notes_.size())
        refuse(directory_, fmt::format("its checkpoint of {} entries is signed, and the log in the database has fewer", notes_[notes_compared_].size));
}

}  // namespace openrd::audit

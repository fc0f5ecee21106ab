#pragma once
// An export that stands where another one is to be put: it may only be replaced by one that goes on from it.
#include "audit/files.hpp"
#include "audit/key_change.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace openrd::audit {

class EarlierExport {
  public:
    // A directory that is not there, or empty, is no export and no obstacle. Throws ExportError for anything that is not an export
    // of this log, by a key that it has had: it would be lost.
    EarlierExport(std::filesystem::path directory, const KeyChain& keys);

    // One entry of the log that takes its place, in order; `tree` has it already. Throws ExportError when the export says otherwise.
    void compare(const Hash& leaf, const Tree& tree);
    // No more will come. Throws ExportError when the export goes on.
    void finish();

    std::uint64_t entries() const { return entries_; }
    // Its checkpoints, which others may have signed, too: they are kept.
    struct Note {
        std::uint64_t size = 0;
        Hash root{};
        std::string file, text;
    };
    const std::vector<Note>& notes() const { return notes_; }  // smallest first

  private:
    void look_through();
    void read_notes(const KeyChain& keys);
    void compare_notes(const Tree& tree);

    const std::filesystem::path directory_;
    std::unique_ptr<LogReader> log_;
    std::uint64_t entries_ = 0;
    bool ended_ = true;
    std::vector<Note> notes_;
    std::size_t notes_compared_ = 0;
};

}  // namespace openrd::audit

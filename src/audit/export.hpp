#pragma once
// The log as files that somebody else can verify (audit/files.hpp says which). Written beside the directory, flushed to disk and
// put in its place in one step: what is there is always a whole export. One that is there is extended when it is an older export of
// the same log, and left alone when it is anything else.
#include "audit/seal.hpp"

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace openrd::audit {

// Nothing was written, or what was is gone again. One line for the operator.
class ExportError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

struct ExportOptions {
    std::filesystem::path directory;  // made; its parent must be there
    std::string origin;
    std::uint64_t entries_per_file = 100'000;
};

struct ExportReport {
    std::uint64_t entries = 0;
    std::uint64_t sealed = 0;          // of them, by the last checkpoint
    std::uint64_t checkpoints = 0;     // files
    std::uint64_t added = 0;           // entries beyond an older export that was there
    std::int64_t erased_subjects = 0;  // whose personal data stand in the entries and cannot be read any more: their keys were destroyed
    // The log in the database is damaged: it was exported as it is, so that the damage can be seen. One line each.
    std::vector<std::string> warnings;
};

// Seals first, so that every entry exported is covered by a checkpoint. Runs beside a server; needs the disk space of a second
// export while it extends one. Throws ExportError, db::Error, and std::invalid_argument for an origin that is not valid.
ExportReport export_log(db::Engine& engine, const keys::Ring& ring, const base::Clock& clock, const ExportOptions& options);

}  // namespace openrd::audit

#pragma once
// What an auditor runs: whether an exported log is the one that was signed. Needs the export's directory and the verifier key,
// nothing else: no database, no key file, no network. Reads in pieces; hostile files give a message, never a crash.
#include "audit/tree.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace openrd::audit {

struct VerifyReport {
    std::string origin;             // of the key; empty when that could not be read
    std::uint64_t entries = 0;      // lines of the log
    std::uint64_t checkpoints = 0;  // whose signature is valid
    std::uint64_t sealed = 0;       // entries that the largest of them covers
    std::uint64_t unsealed = 0;     // entries beyond it: nobody vouches for them

    // The first entry that is not as it was signed, counted from 1, which is its arrival: when the leaf hashes prove which it is.
    std::optional<std::uint64_t> first_damaged;
    // Otherwise the smallest range between two checkpoints in which the damage lies, first and last entry included.
    std::optional<std::pair<std::uint64_t, std::uint64_t>> damaged_range;

    std::vector<std::string> problems;  // one line each; none: it is the log that was signed
    std::vector<std::string> notes;     // what does not speak against it

    bool ok() const { return problems.empty(); }
    std::string text() const;  // some lines for a person, the verdict last
};

// Checks the signature of every checkpoint, the root of the log at every size that was signed (so that of any two heads the larger
// one only added to the smaller), that the log is as long as the largest of them, and the leaf hashes.
VerifyReport verify(const std::filesystem::path& export_directory, const std::filesystem::path& key_file);

}  // namespace openrd::audit

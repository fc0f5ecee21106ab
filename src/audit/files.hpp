#pragma once
// The files of an export, as they lie in its directory, and reading them. Whatever somebody else has put there is read in pieces:
// no line is too long, and only regular files are opened.
//     audit.pub                   who signs, as a verifier key
//     keys/000001.txt             how that key came in the place of the one before it (audit/key_change.hpp); absent without a change
//     checkpoints/<size>.txt      signed notes
//     log/000000.ndjson           the entries, one on each line; the next ones in 000001.ndjson
//     leaves/000000.sha256        their leaf hashes in hex, one on each line
#include "audit/tree.hpp"

#include <tl/expected.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::audit {

inline constexpr const char* key_file_name = "audit.pub";
inline constexpr const char* key_changes_folder = "keys";
inline constexpr const char* checkpoints_folder = "checkpoints";
inline constexpr const char* log_folder = "log";
inline constexpr const char* leaves_folder = "leaves";
inline constexpr std::string_view note_suffix = ".txt", log_suffix = ".ndjson", leaves_suffix = ".sha256";

std::string numbered_name(std::uint64_t number, std::string_view suffix);  // 000012.ndjson

// The bytes of a small file. The error goes on from the file's name: "cannot be read: ..."
tl::expected<std::string, std::string> read_small_file(const std::filesystem::path& path, std::size_t at_most_bytes);

// An open file of which nothing but reading forward is wanted.
class InputFile {
  public:
    InputFile() = default;
    InputFile(const InputFile&) = delete;
    InputFile& operator=(const InputFile&) = delete;
    ~InputFile() { close(); }

    // Nothing when it was opened, else why not. Waits for nobody: what is no regular file is refused.
    std::optional<std::string> open(const std::filesystem::path& path);
    std::optional<std::size_t> read(char* to, std::size_t bytes);  // 0: the end; nothing: it cannot be read
    void close();

  private:
    int descriptor_ = -1;
};

// The lines of a folder's numbered files, one after the other.
class NumberedLines {
  public:
    NumberedLines(const std::filesystem::path& export_directory, std::string_view folder, std::string_view suffix);

    bool there() const { return there_; }

    // A piece of the current line, without its LF; nothing when there is no more. Valid until the next call.
    struct Piece {
        std::string_view text;
        bool ends_line = false;
    };
    std::optional<Piece> piece();

    // Of the line of the last piece: "log/000001.ndjson line 17".
    std::string place() const;
    // What is wrong with the files themselves, one line each. Complete at the end.
    const std::vector<std::string>& problems() const { return problems_; }

  private:
    bool next_file();
    bool fill();
    std::string name_of_file() const;

    const std::filesystem::path directory_;
    const std::string folder_;
    const std::string suffix_;
    bool there_ = false;
    std::vector<std::string> names_;
    std::size_t files_begun_ = 0;
    InputFile file_;
    bool reading_ = false;
    std::uint64_t line_ = 0;    // of this file
    bool within_line_ = false;  // a piece of it was given that did not end it
    std::vector<char> buffer_;
    std::size_t from_ = 0, to_ = 0;
    std::vector<std::string> problems_;
};

// The leaf hashes of the log's lines.
class LogReader {
  public:
    explicit LogReader(const std::filesystem::path& export_directory) : lines_(export_directory, log_folder, log_suffix) {}
    std::optional<Hash> next();
    const NumberedLines& lines() const { return lines_; }

  private:
    NumberedLines lines_;
    LeafHasher hasher_;
};

// The leaf hashes as they are written. A line that is none gives a hash of zeros, and is a problem.
class LeavesReader {
  public:
    explicit LeavesReader(const std::filesystem::path& export_directory) : lines_(export_directory, leaves_folder, leaves_suffix) {}
    std::optional<Hash> next();
    const NumberedLines& lines() const { return lines_; }
    std::vector<std::string> problems() const;

  private:
    NumberedLines lines_;
    std::string first_malformed_;
};

}  // namespace openrd::audit

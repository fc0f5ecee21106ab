#pragma once
// Writing an export: a directory that is built beside its place and put there whole.
#include "audit/files.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace openrd::audit {

// A file that is being written. Every error is an ExportError.
class OutputFile {
  public:
    explicit OutputFile(std::filesystem::path path);
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    ~OutputFile();
    void write(std::string_view text);
    void finish();  // flushes and closes; without it the file is not complete

  private:
    void flush();

    const std::filesystem::path path_;
    int descriptor_ = -1;
    std::string buffer_;
};

// Gone again, with all that is in it, unless put in place.
class NewDirectory {
  public:
    // `place`: absolute, its parent is there.
    explicit NewDirectory(std::filesystem::path place);
    NewDirectory(const NewDirectory&) = delete;
    NewDirectory& operator=(const NewDirectory&) = delete;
    ~NewDirectory();
    const std::filesystem::path& path() const { return path_; }

    // Flushes everything to disk and puts it there, in the place of what is there.
    void put_in_place();

  private:
    const std::filesystem::path place_;
    std::filesystem::path path_;
};

// Lines in numbered files of so many lines each.
class NumberedOutput {
  public:
    NumberedOutput(std::filesystem::path folder, std::string_view suffix, std::uint64_t lines_per_file);
    void line(std::string_view text);
    void finish();

  private:
    const std::filesystem::path folder_;
    const std::string suffix_;
    const std::uint64_t lines_per_file_;
    std::uint64_t lines_ = 0;
    std::unique_ptr<OutputFile> file_;
};

}  // namespace openrd::audit

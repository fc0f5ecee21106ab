#include "audit/output.hpp"

#include "audit/export.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

namespace openrd::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t buffer_bytes = 256 * 1024;

[[noreturn]] void fail(const fs::path& path, std::string_view what, int error) {
    throw ExportError(fmt::format("{} {}: {}", path.string(), what, std::generic_category().message(error)));
}

class Descriptor {
  public:
    explicit Descriptor(const fs::path& directory) : number_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        if (number_ < 0) fail(directory, "cannot be opened", errno);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(number_); }
    int number() const { return number_; }

  private:
    int number_;
};

// Exchanges the two names, so that there is no moment without an export; where the file system cannot, the older one steps aside.
void exchange(const fs::path& fresh, const fs::path& place) {
    if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, place.c_str(), RENAME_EXCHANGE) == 0) return;
    if (errno != EINVAL && errno != ENOSYS) fail(place, "cannot be replaced", errno);
    const fs::path aside = fresh.string() + ".old";
    if (::rename(place.c_str(), aside.c_str()) != 0) fail(place, "cannot be replaced", errno);
    if (::rename(fresh.c_str(), place.c_str()) != 0) {
        const int error = errno;
        ::rename(aside.c_str(), place.c_str());
        fail(place, "cannot be replaced", error);
    }
    if (::rename(aside.c_str(), fresh.c_str()) != 0) fail(aside, "cannot be removed", errno);
}

}  // namespace

OutputFile::OutputFile(fs::path path) : path_(std::move(path)), descriptor_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
    if (descriptor_ < 0) fail(path_, "cannot be written", errno);
}

OutputFile::~OutputFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

void OutputFile::write(std::string_view text) {
    buffer_ += text;
    if (buffer_.size() >= buffer_bytes) flush();
}

void OutputFile::flush() {
    for (std::string_view rest = buffer_; !rest.empty();) {
        const auto written = ::write(descriptor_, rest.data(), rest.size());
        if (written >= 0) rest.remove_prefix(static_cast<std::size_t>(written));
        else if (errno != EINTR) fail(path_, "cannot be written", errno);
    }
    buffer_.clear();
}

void OutputFile::finish() {
    flush();
    if (::close(std::exchange(descriptor_, -1)) != 0) fail(path_, "cannot be written", errno);
}

NewDirectory::NewDirectory(fs::path place) : place_(std::move(place)) {
    std::string name = place_.string() + ".partial-XXXXXX";
    if (!::mkdtemp(name.data())) fail(place_.parent_path(), "cannot be written into", errno);
    path_ = name;
}

NewDirectory::~NewDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

void NewDirectory::put_in_place() {
    {
        // One call for all the files: a log that was sealed for months has a checkpoint for each of its busy seconds.
        const Descriptor built(path_);
        if (::syncfs(built.number()) != 0) fail(path_, "cannot be flushed to disk", errno);
    }
    std::error_code error;
    if (fs::exists(place_, error)) {
        fs::permissions(path_, fs::status(place_).permissions(), error);  // somebody may have opened it to the auditors' group
        exchange(path_, place_);
    } else if (::rename(path_.c_str(), place_.c_str()) != 0) {
        fail(place_, "cannot be made", errno);
    }
    const Descriptor parent(place_.parent_path());
    if (::fsync(parent.number()) != 0) fail(place_.parent_path(), "cannot be flushed to disk", errno);
}

NumberedOutput::NumberedOutput(fs::path folder, std::string_view suffix, std::uint64_t lines_per_file)
    : folder_(std::move(folder)), suffix_(suffix), lines_per_file_(lines_per_file) {
    std::error_code error;
    if (!fs::create_directory(folder_, error) && error) fail(folder_, "cannot be made", error.value());
}

void NumberedOutput::line(std::string_view text) {
    if (lines_ % lines_per_file_ == 0) {
        finish();
        file_ = std::make_unique<OutputFile>(folder_ / numbered_name(lines_ / lines_per_file_, suffix_));
    }
    file_->write(text);
    file_->write("\n");
    ++lines_;
}

void NumberedOutput::finish() {
    if (file_) file_->finish();
    file_.reset();
}

}  // namespace openrd::audit

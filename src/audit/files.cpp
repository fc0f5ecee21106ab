#include "audit/files.hpp"

#include "base/text.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace openrd::audit {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t buffer_bytes = 256 * 1024;
constexpr std::size_t longest_number = 18;

std::string words_of(int error) { return std::generic_category().message(error); }

// The number of 000012.ndjson.
std::optional<std::uint64_t> number_of(const std::string& name, std::string_view suffix) {
    if (name.size() <= suffix.size() || name.size() - suffix.size() > longest_number) return {};
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < name.size() - suffix.size(); ++i) {
        if (name[i] < '0' || name[i] > '9') return {};
        number = number * 10 + static_cast<std::uint64_t>(name[i] - '0');
    }
    if (numbered_name(number, suffix) != name) return {};
    return number;
}

}  // namespace

std::string numbered_name(std::uint64_t number, std::string_view suffix) { return fmt::format("{:06}{}", number, suffix); }

std::optional<std::string> InputFile::open(const fs::path& path) {
    close();
    // Opening a pipe would wait for somebody who writes.
    descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor_ < 0) return words_of(errno);
    struct stat status {};
    if (::fstat(descriptor_, &status) != 0) return words_of(errno);
    if (!S_ISREG(status.st_mode)) return "not a regular file";
    return {};
}

std::optional<std::size_t> InputFile::read(char* to, std::size_t bytes) {
    for (;;) {
        const auto got = ::read(descriptor_, to, bytes);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR) return {};
    }
}

void InputFile::close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
}

tl::expected<std::string, std::string> read_small_file(const fs::path& path, std::size_t at_most_bytes) {
    InputFile file;
    if (const auto why = file.open(path)) return tl::unexpected(fmt::format("cannot be read: {}", *why));
    std::string text(at_most_bytes + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const auto got = file.read(text.data() + size, text.size() - size);
        if (!got) return tl::unexpected<std::string>("cannot be read");
        if (*got == 0) break;
        size += *got;
    }
    if (size > at_most_bytes) return tl::unexpected<std::string>("is too large");
    text.resize(size);
    return text;
}

NumberedLines::NumberedLines(const fs::path& export_directory, std::string_view folder, std::string_view suffix)
    : directory_(export_directory / folder), folder_(folder), suffix_(suffix), buffer_(buffer_bytes) {
    std::error_code error;
    there_ = fs::is_directory(directory_, error);
    if (!there_) return;
    std::vector<std::uint64_t> numbers;
    for (fs::directory_iterator it(directory_, error), end; !error && it != end; it.increment(error))
        if (const auto number = number_of(it->path().filename().string(), suffix_)) numbers.push_back(*number);
    if (error) problems_.push_back(fmt::format("{} cannot be listed: {}", folder_, error.message()));
    std::sort(numbers.begin(), numbers.end());
    std::uint64_t expected = 0;
    for (const auto number : numbers) {
        if (number > expected) problems_.push_back(fmt::format("{}/{} is missing", folder_, numbered_name(expected, suffix_)));
        names_.push_back(numbered_name(number, suffix_));
        expected = number + 1;
    }
}

std::string NumberedLines::name_of_file() const { return fmt::format("{}/{}", folder_, files_begun_ == 0 ? numbered_name(0, suffix_) : names_[files_begun_ - 1]); }

std::string NumberedLines::place() const { return fmt::format("{} line {}", name_of_file(), line_); }

bool NumberedLines::next_file() {
    while (files_begun_ < names_.size()) {
        const auto& name = names_[files_begun_++];
        line_ = 0;
        if (const auto why = file_.open(directory_ / name)) {
            problems_.push_back(fmt::format("{} cannot be read: {}", name_of_file(), *why));
            continue;
        }
        reading_ = true;
        return true;
    }
    return false;
}

// False at the end of the file, or when it cannot be read further.
bool NumberedLines::fill() {
    const auto got = file_.read(buffer_.data(), buffer_.size());
    from_ = 0;
    to_ = got.value_or(0);
    if (!got) problems_.push_back(fmt::format("{} cannot be read beyond line {}", name_of_file(), line_));
    if (to_ == 0) reading_ = false;
    return to_ != 0;
}

std::optional<NumberedLines::Piece> NumberedLines::piece() {
    while (from_ == to_) {
        if (!reading_ && !next_file()) return {};
        if (fill()) break;
        if (!within_line_) continue;
        // Also when exactly the LF is gone: the file is not as it was written.
        problems_.push_back(fmt::format("{} ends in the middle of line {}", name_of_file(), line_));
        within_line_ = false;
        return Piece{.text = {}, .ends_line = true};
    }
    if (!within_line_) ++line_;
    const std::string_view ahead(buffer_.data() + from_, to_ - from_);
    const auto end = ahead.find('\n');
    within_line_ = end == ahead.npos;
    from_ = within_line_ ? to_ : from_ + end + 1;
    return Piece{.text = ahead.substr(0, end), .ends_line = !within_line_};
}

std::optional<Hash> LogReader::next() {
    for (auto piece = lines_.piece(); piece; piece = lines_.piece()) {
        hasher_.update(piece->text);
        if (!piece->ends_line) continue;
        hasher_.update("\n");
        return hasher_.finish();
    }
    return {};
}

std::optional<Hash> LeavesReader::next() {
    constexpr std::size_t hex_digits = 2 * hash_bytes;
    std::string line;
    for (auto piece = lines_.piece(); piece; piece = lines_.piece()) {
        line += piece->text.substr(0, hex_digits + 1 - std::min(line.size(), hex_digits + 1));
        if (!piece->ends_line) continue;
        const auto bytes = base::unhex(line);
        const auto hash = bytes ? hash_of(*bytes) : std::nullopt;
        if (!hash && first_malformed_.empty()) first_malformed_ = fmt::format("{} is not a hash", lines_.place());
        return hash.value_or(Hash{});
    }
    return {};
}

std::vector<std::string> LeavesReader::problems() const {
    auto problems = lines_.problems();
    if (!first_malformed_.empty()) problems.push_back(first_malformed_);
    return problems;
}

}  // namespace openrd::audit

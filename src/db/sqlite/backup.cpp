#include "db/sqlite/backup.hpp"

#include "db/sqlite/create.hpp"
#include "db/sqlite/schema.hpp"
#include "db/sqlite/transaction.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace openrd::db::sqlite {
namespace {

constexpr std::size_t copied_at_a_time = 256 * 1024;

Error system_error(std::string_view doing, const std::string& path, int error) {
    return {Trouble::unavailable, fmt::format("cannot {} {}: {}", doing, path, std::strerror(error))};
}

class Descriptor {
  public:
    Descriptor(std::string path, int flags, mode_t mode = 0) : path_(std::move(path)), fd_(::open(path_.c_str(), flags | O_CLOEXEC, mode)) {
        if (fd_ < 0) throw system_error("open", path_, errno);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { ::close(fd_); }

    void refuse_unless_regular() const {
        struct stat facts {};
        if (::fstat(fd_, &facts) != 0) throw system_error("look at", path_, errno);
        if (!S_ISREG(facts.st_mode)) throw Error(Trouble::damaged, fmt::format("{} is no regular file", path_));
    }
    // 0 at the end.
    std::size_t read(std::span<char> to) const {
        for (;;) {
            const auto count = ::read(fd_, to.data(), to.size());
            if (count >= 0) return static_cast<std::size_t>(count);
            if (errno != EINTR) throw system_error("read", path_, errno);
        }
    }
    void write(std::span<const char> from) const {
        while (!from.empty()) {
            const auto count = ::write(fd_, from.data(), from.size());
            if (count < 0 && errno != EINTR) throw system_error("write", path_, errno);
            if (count > 0) from = from.subspan(static_cast<std::size_t>(count));
        }
    }
    void sync() const {
        if (::fsync(fd_) != 0) throw system_error("sync", path_, errno);
    }

  private:
    std::string path_;
    int fd_;
};

void copy_file(const std::string& from, const std::string& to) {
    // Without waiting for a pipe's other end.
    const Descriptor source(from, O_RDONLY | O_NONBLOCK);
    source.refuse_unless_regular();
    const Descriptor target(to, O_CREAT | O_EXCL | O_WRONLY, 0600);
    std::array<char, copied_at_a_time> buffer{};
    for (std::size_t count = 0; (count = source.read(buffer)) != 0;) target.write(std::span(buffer).first(count));
}

// Whole, ours, and of a schema that this binary knows.
std::unique_ptr<Connection> open_copy(const std::string& path, std::span<const Migration> known) {
    auto connection = open_checked(path, Use::building, false, true);
    up_to_date(*connection, known);
    return connection;
}

void run_in_transaction(Connection& connection, const Engine::Work& work) {
    static constexpr Sql begin{"BEGIN IMMEDIATE"};
    static constexpr Sql commit{"COMMIT"};
    connection.run(begin);
    OpenTransaction transaction(connection, OpenTransaction::Access::writes);
    work(transaction);
    if (connection.broken()) throw Error(*connection.broken());
    connection.run(commit);
}

// The words speak of the file that the operator named, not of the copy that is looked through.
std::string with(std::string text, const std::string& what, const std::string& instead) {
    for (auto at = text.find(what); at != text.npos; at = text.find(what, at + instead.size())) text.replace(at, what.size(), instead);
    return text;
}

}  // namespace

void back_up(const std::string& database, const std::string& file, std::span<const Migration> known) {
    // Not the pages as they are: what was deleted stays in them until it is written over, a destroyed key of a person among it.
    static constexpr Sql copy{"VACUUM INTO $1"};
    {
        const auto source = open_checked(database, Use::checkpointing, true, false);
        Prepared& statement = source->prepared(copy);
        statement.begin({std::string_view(file)});
        const Rows rows(&statement);
        while (statement.step()) {}
    }
    open_copy(file, known);
    Descriptor(file, O_RDONLY).sync();
}

void restore(const std::string& file, const std::string& directory, std::span<const Migration> known, const Engine::Work& content) {
    const auto build = [&](const std::string& path) {
        static constexpr Sql wal{"PRAGMA journal_mode = WAL"};
        copy_file(file, path);
        try {
            const auto connection = open_copy(path, known);
            migrate(*connection, known);
            run_in_transaction(*connection, content);
            if (connection->text(wal) != "wal") throw Error(Trouble::unavailable, fmt::format("the file system of {} has no shared memory for SQLite", path));
        } catch (const Error& error) { throw Error(error.trouble(), with(error.what(), path, file)); }
    };
    if (!put_in_place(directory, build, true)) throw Error(Trouble::unavailable, fmt::format("there is a database in {} already", directory));
}

}  // namespace openrd::db::sqlite

#pragma once
// One connection to the file, its settings and its prepared statements. One thread at a time may use it.
#include "db/engine.hpp"
#include "db/sqlite/statement.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

struct sqlite3;

namespace openrd::db::sqlite {

enum class Use : std::uint8_t {
    building,  // a new file that nobody else knows yet: no WAL, no syncs
    writing,
    reading,  // refuses statements that write
    checkpointing,
};

class Connection {
  public:
    // Opens a file that is there. Throws Error.
    Connection(const std::string& path, Use use, bool durable);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection();

    // The statement of that text, kept by the address of the text; another one while it is busy.
    Prepared& prepared(const Sql& sql);
    // Runs one statement to its end.
    void run(const Sql& sql);
    // The first column of the first row; throws Error(programming) when there is none.
    std::int64_t integer(const Sql& sql);
    std::string text(const Sql& sql);
    // Runs text that is not kept: pragmas and migrations.
    void execute(const std::string& text);

    bool in_transaction() const;
    // Ends whatever transaction there is. Never throws: what cannot be committed is rolled back.
    void roll_back() noexcept;
    void end_read() noexcept;

    // Once a statement failed in a way that may have rolled the transaction back (full disk and the like), until mend(): the first such error.
    const std::optional<Error>& broken() const { return broken_; }
    void mend() { broken_.reset(); }
    // The error to throw, noting when the transaction is broken by it.
    Error failed(int code, std::string_view doing);

    std::int64_t changes() const;                   // rows written since the connection was opened, undone ones included
    int wal_frames() const { return wal_frames_; }  // in the WAL after this connection's last commit

    // Copies what the WAL holds into the file, as far as readers permit, without waiting for anybody.
    struct Copied {
        bool done = false;      // everything was copied
        bool progress = false;  // something was
    };
    Copied checkpoint() noexcept;

    std::string path() const;
    sqlite3* handle() const { return handle_; }

  private:
    void set_up(Use use, bool durable);

    sqlite3* handle_ = nullptr;
    std::unordered_map<const char*, std::vector<std::unique_ptr<Prepared>>> statements_;
    std::optional<Error> broken_;
    int wal_frames_ = 0;
    int copied_frames_ = 0;
};

}  // namespace openrd::db::sqlite

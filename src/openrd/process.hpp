#pragma once
// What `openrd serve` asks of the operating system.
#include "net/server.hpp"

#include <cstdint>
#include <string>

namespace openrd {

// A core file would hold keys and phone numbers.
void forbid_core_dumps();

// As many open files as the system allows: a connection is one, and the usual 1,024 are fewer than http.connections.
void allow_many_connections();

// From here on SIGTERM, SIGINT and SIGHUP are only seen by Signals::wait. Before the first thread is made, so that every thread has it.
class Signals {
  public:
    Signals();
    enum class Told : std::uint8_t { nothing, reload, end };
    // What the process was told within that time.
    Told wait(std::int64_t timeout_ms) const;
};

// Throws std::system_error when the address cannot be listened on; takes nothing. So that a server that cannot start has touched
// nothing: the database comes after it, and the listener last.
void try_to_listen(const net::Listen& listen);

// The file that says where the server accepts: there while it does. Throws Failure.
class ReadyFile {
  public:
    explicit ReadyFile(std::string path);  // removes an old one; an empty path: no file
    ReadyFile(const ReadyFile&) = delete;
    ReadyFile& operator=(const ReadyFile&) = delete;
    ~ReadyFile() { remove(); }

    void write(const std::string& address);  // in one step
    void remove() noexcept;

  private:
    std::string path_;
};

}  // namespace openrd

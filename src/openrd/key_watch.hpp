#pragma once
// What keeps a running server's keys up to date: the key file, and what the database says of its use (docs/operations/keys.md).
#include "openrd/data.hpp"

#include <ctime>
#include <string>

namespace openrd {

class KeyWatch {
  public:
    // Both outlive it; the ring is shared with everybody meanwhile.
    KeyWatch(std::string key_file, db::Engine& engine, keys::Ring& ring);

    // Once a second, and on SIGHUP. A key file that cannot be used is said once and changes nothing: the keys that were read stay. Throws
    // db::Error.
    void look();

  private:
    struct Seen {
        std::int64_t inode = 0, size = 0, changed_s = 0, changed_ns = 0;
        friend bool operator==(const Seen&, const Seen&) = default;
    };
    Seen see() const;
    void read_file();
    void read_uses();

    const std::string key_file_;
    db::Engine& engine_;
    keys::Ring& ring_;
    Seen seen_;
    std::string trouble_;  // said last
};

}  // namespace openrd

#pragma once
// `openrd keys ...`: what the keys are used for, a new one in the place of an old one, while servers run (docs/operations/keys.md).
#include "openrd/data.hpp"

#include <cstdint>
#include <string>

namespace openrd {

struct KeysOptions {
    DataPlace place;
    std::string kind;          // rotate: code, index, encryption or checkpoint
    std::uint32_t key_id = 0;  // retire
    // How long to wait until every server has read a new key file, or what the database says: they look once a second.
    std::int64_t settle_ms = 3'000;
};

// Each prints one JSON object and returns 0. Failure with status 1: it cannot be done now; 2: no such kind of key.
int list_keys(const KeysOptions&);
// A new root into the key file, used for nothing yet: on one server; the file is then copied to the others.
int add_key(const KeysOptions&);
// Uses the newest root, which add_key has made, for that kind of key, and brings what is under the older key under it. After a kill it
// is run again, and ends what was begun.
int rotate_key(const KeysOptions&);
// Takes a root out of the key file for which nothing is left.
int retire_key(const KeysOptions&);

}  // namespace openrd

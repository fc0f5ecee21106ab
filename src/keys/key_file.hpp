#pragma once
// The key file: the roots of every other key, each of 32 random bytes and with a number. Whoever has it and the database can read
// everything; whoever has the database alone can read no phone number, no AccessKey secret and no code.
//
// A file with the first root alone is its 32 bytes. After a rotation (docs/operations/keys.md) it is
//     "openrd key file\n" | count, 4 bytes big-endian | for each, by number: number, 4 bytes | root, 32 bytes | BLAKE2b-256 of all that
// so that a copy that broke off is seen to be one.
#include "base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::keys {

inline constexpr std::size_t root_bytes = 32;
// More roots than anybody rotates through before the first is retired.
inline constexpr std::size_t most_roots = 64;

struct Root {
    std::uint32_t id = 1;
    base::Secret bytes;
};
// By their numbers, rising; with at least one from 1. Number 0 is no root: the key of the nonces, which stays when the root that it was
// derived from is retired (nonce_key_of), since a used nonce must be known again.
using Roots = std::vector<Root>;

// One clear line that names the file.
class FileError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

base::Secret nonce_key_of(const Root& root);

// The roots in the file. Throws FileError when it is missing, no regular file, readable by others than its owner (its mode is
// neither 0600 nor 0400, nor root's 0440 as of a systemd credential) or not whole.
Roots read_key_file(const std::string& path);

// Who syncs the folder in which the key file was made: a caller who makes more in it does so once, after all of it.
enum class FolderSync : std::uint8_t { now, by_caller };

// Writes a new root into a new file of mode 0600 and syncs it and its folder. After a crash the file is there whole or not at
// all. Throws FileError when something is there already or it cannot be written.
base::Secret create_key_file(const std::string& path, FolderSync folder = FolderSync::now);

// Puts these roots in the place of those in the file, in one step: a reader, or a crash, sees the old file or the new one. Follows a
// link to the file itself; keeps the mode. Throws FileError.
void replace_key_file(const std::string& path, const Roots& roots);

}  // namespace openrd::keys

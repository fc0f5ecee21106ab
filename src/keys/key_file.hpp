#pragma once
// The key file: 32 random bytes, the root of every other key. Whoever has it and the database can read everything; whoever has
// the database alone can read no phone number, no AccessKey secret and no code.
#include "base/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace openrd::keys {

inline constexpr std::size_t root_bytes = 32;

// One clear line that names the file.
class FileError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The root in the file. Throws FileError when it is missing, no regular file, readable by others than its owner (its mode is
// neither 0600 nor 0400, nor root's 0440 as of a systemd credential) or not of 32 bytes.
base::Secret read_key_file(const std::string& path);

// Who syncs the folder in which the key file was made: a caller who makes more in it does so once, after all of it.
enum class FolderSync : std::uint8_t { now, by_caller };

// Writes a new root into a new file of mode 0600 and syncs it and its folder. After a crash the file is there whole or not at
// all. Throws FileError when something is there already or it cannot be written.
base::Secret create_key_file(const std::string& path, FolderSync folder = FolderSync::now);

}  // namespace openrd::keys

#pragma once
// `openrd backup` and `openrd restore`: a database in one file. The key file is in none of them: the file alone is of no use to anybody.
#include "openrd/data.hpp"

#include <string>

namespace openrd {

struct BackupCommand {
    DataPlace place;
    std::string file;
};

// 0. Beside a running server or without one. The file is there whole or not at all, for its owner only, and the audit log says that it was made.
// Throws Failure, db::Error, keys::FileError.
int back_up(const BackupCommand& command);

// 0. Into a place where there is no database yet; the key file that belongs to it must be there. The file is looked through first, and what is refused is
// not touched. The audit log of the restored database says that it was.
int restore(const BackupCommand& command);

}  // namespace openrd

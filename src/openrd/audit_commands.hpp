#pragma once
// `openrd audit export` and `openrd audit verify`.
#include "openrd/data.hpp"

#include <string>

namespace openrd {

struct ExportCommand {
    DataPlace place;
    std::string out;
};
// 0. Beside a running server or without one.
int export_audit(const ExportCommand& command);

struct VerifyCommand {
    std::string directory, key_file;
};
// 0, or 1 when the export is not what was signed. Needs no database and no network.
int verify_audit(const VerifyCommand& command);

}  // namespace openrd

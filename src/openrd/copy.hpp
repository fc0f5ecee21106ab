#pragma once
// `openrd copy`: a whole database into another place, of another engine or of the same.
#include <string>

namespace openrd {

struct CopyCommand {
    std::string from, to;  // each a directory, or postgresql://...
    std::string key_file;  // empty: openrd.key of the directory that is copied from, or to
};

// 0: the target holds what the source holds, compared row by row, and its audit log has the root that was signed. In one transaction of the
// target, so that a copy that was broken off has changed nothing there; where the copy is already, it is only compared.
// Refuses a target with other content, and a source or a target that is served. Throws Failure, db::Error, keys::FileError, audit::Unsealable.
int copy(const CopyCommand& command);

}  // namespace openrd

#include "openrd/version.hpp"

#include "phone/numbering.hpp"

#include <cstdio>

namespace openrd {

int print_version() {
    const auto& numbering = phone::Numbering::built_in();
    std::printf("openrd %s (commit %s)\ncontract of %s\nnumbering data of %s, %s\n", OPENRD_VERSION, OPENRD_COMMIT, OPENRD_CONTRACT_DATE, numbering.released().c_str(),
                numbering.source().c_str());
    return 0;
}

}  // namespace openrd

#pragma once

namespace openrd {

// `openrd version`: the commit, the contract's date, the numbering data's date. Returns 0.
int print_version();

}  // namespace openrd

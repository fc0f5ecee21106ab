#pragma once
// `openrd account erase-person`: docs/operations/personal-data.md.
#include "openrd/account.hpp"

namespace openrd {

// Erases the personal data of an account's phone and prints what was there; 0 when there was nothing any more. Failure with status 1:
// there is no such account.
int erase_person(const AccountOptions&);

}  // namespace openrd

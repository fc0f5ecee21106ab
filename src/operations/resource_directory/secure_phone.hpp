#pragma once
// What sending a code and binding a phone have in common: the checks of decisions.md D.4 to D.7, in that order.
#include "api/call.hpp"
#include "phone/mobile_number.hpp"
#include "store/members.hpp"

namespace openrd::operations::resource_directory {

struct PhoneTarget {
    store::Member member;
    std::string manager_email;  // of the management account
    bool range_unknown;         // the numbering table knows no such range, and the settings take it all the same
};
// The member that may be given that phone; throws the fault of the first check that fails.
PhoneTarget phone_target(api::Call& call, const std::string& account_id, const phone::MobileNumber& phone);

}  // namespace openrd::operations::resource_directory

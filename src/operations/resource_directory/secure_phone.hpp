#pragma once
// What sending a code and binding a phone have in common: the checks of decisions.md D.4 to D.7, in that order, and the limits of
// the strict profile.
#include "api/call.hpp"
#include "phone/mobile_number.hpp"
#include "store/members.hpp"

namespace openrd::operations::resource_directory {

// The member that may be given that phone; throws the fault of the first check that fails.
store::Member phone_target(api::Call& call, const std::string& account_id, const phone::MobileNumber& phone);

// Counts one Send in every window of the strict profile; throws send_limit_exceeded when one of them is full.
void count_send(api::Call& call, const std::string& account_id, const phone::MobileNumber& phone);

// Counts a guess at a code of that phone before it is compared. False when the phone or the directory has had its wrong guesses of the day.
bool count_guess(api::Call& call, const phone::MobileNumber& phone);
// The guess was right.
void uncount_guess(api::Call& call, const phone::MobileNumber& phone);

}  // namespace openrd::operations::resource_directory

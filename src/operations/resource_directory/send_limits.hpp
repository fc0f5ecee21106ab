#pragma once
// What keeps the sending and guessing of codes from being abused: windows, the day's budget, the brake of a country, phones that are
// sent nothing (verification.md 3, docs/decisions/0027). Whatever refuses a Send, the answer is send_limit_exceeded.
#include "api/call.hpp"
#include "phone/mobile_number.hpp"

#include <optional>
#include <string>
#include <vector>

namespace openrd::operations::resource_directory {

struct SendTarget {
    const std::string& account_id;
    const phone::MobileNumber& phone;
    bool range_unknown;  // the numbering table knows no such range: half as many such neighbours are sent to
};

// Whether the phone's country is sent anything at all; puts its brake on, which survives the refusal. Before anything is written.
void check_brake(api::Call& call, const phone::MobileNumber& phone);

// Counts one Send in every window and in the day's budget, all or none; throws when one of them is full, or when the phone is sent
// nothing.
void count_send(api::Call& call, const SendTarget& target);

// That a new code goes to the phone's country, and that it was redeemed: what the brake goes by.
void note_code(api::Call& call, const phone::MobileNumber& phone, std::string_view verification_id, std::int64_t expires_at_ms);
void note_redeemed(api::Call& call, const phone::MobileNumber& phone, std::string_view verification_id);

// Where a guess was counted.
struct Guess {
    struct Place {
        std::string bucket;
        std::int64_t begin_ms;
    };
    std::vector<Place> places;
};
// Counts a guess at a code of that phone before it is compared. Nothing when the phone or the directory has had its wrong guesses of the day.
std::optional<Guess> count_guess(api::Call& call, const phone::MobileNumber& phone);
// The guess was right.
void uncount_guess(api::Call& call, const Guess& guess);

}  // namespace openrd::operations::resource_directory

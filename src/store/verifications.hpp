#pragma once
// Verification codes under way: one row per account and purpose, which holds the guard against guessing as well. No code is
// kept: it is derived from verification_id (keys::Ring::code). What may be redeemed is decided in guarded statements, never by
// reading first: verification.md 4.
#include "base/limits.hpp"
#include "db/engine.hpp"

namespace openrd::store {

inline constexpr std::string_view purpose_bind = "bind";

inline constexpr std::string_view verification_pending = "pending", verification_consumed = "consumed", verification_cancelled = "cancelled";

// Until an operator unlocks: 9999-12-31T23:59:59Z.
inline constexpr std::int64_t locked_for_good_ms = 253'402'300'799'000;

// A code that would hold longer than any code may was made before the clock was set back: it is good when its time comes. A minute for
// the clocks of several nodes.
constexpr std::int64_t latest_expiry_ms(std::int64_t now_ms) { return now_ms + base::most_code_lifetime_ms + base::minute_ms; }

struct Verification {
    std::string account_id;
    std::string purpose = std::string(purpose_bind);
    std::string directory_id;
    std::string verification_id;  // 16 random bytes
    std::int64_t code_key_id = 0;
    std::string phone_index;
    std::string phone_sealed;  // keys::Purpose::phone, associated with the account id
    std::string state = std::string(verification_pending);
    std::int64_t attempts = 0, max_attempts = 5;
    std::int64_t sends = 0;
    std::int64_t last_sent_at_ms = 0;
    std::string created_by;  // ARN
    std::int64_t created_at_ms = 0, expires_at_ms = 0;
    std::int64_t day = 0, sends_of_day = 0;  // base::day_of_utc8
    // The guard: consecutive failures, which a new code does not forget.
    std::int64_t failures = 0;
    std::int64_t locked_until_ms = 0;

    bool pending(std::int64_t now_ms) const { return state == verification_pending && expires_at_ms > now_ms && expires_at_ms <= latest_expiry_ms(now_ms); }
    bool exhausted(std::int64_t now_ms) const { return state == verification_pending && expires_at_ms > now_ms && attempts >= max_attempts; }
    bool locked(std::int64_t now_ms, const base::CodeLimits& limits) const { return failures >= limits.final_lock_failures || locked_until_ms > now_ms; }
};

// An attempt that was counted: what the code is to be compared with.
struct Attempt {
    std::string verification_id;
    std::int64_t code_key_id = 0;
    std::string phone_index;
};

std::optional<Verification> find_verification(db::Transaction&, std::string_view account_id, std::string_view purpose);
// Inserts, or replaces the row of the same account and purpose.
void put_verification(db::Transaction&, const Verification&);
// Counts an attempt and a failure before anything is compared. Nothing: there is no code that may be compared now.
std::optional<Attempt> count_attempt(db::Transaction&, std::string_view account_id, std::string_view purpose, std::int64_t now_ms, const base::CodeLimits&);
// Redeems the code once, and takes the failure back. False: somebody else did, or it was superseded.
bool consume_verification(db::Transaction&, std::string_view account_id, std::string_view purpose, std::string_view verification_id, std::int64_t now_ms);
// The code under way for that phone is good no more. False: there is none.
bool cancel_verification(db::Transaction&, std::string_view account_id, std::string_view purpose, std::string_view phone_index);
// The operator's lock: no code is sent for the account and none is redeemed. False when it is locked for good already.
bool lock_verification(db::Transaction&, std::string_view account_id, std::string_view directory_id, std::string_view purpose, std::int64_t now_ms);
// The operator's way out of a lock. False when nothing was locked.
bool unlock_verification(db::Transaction&, std::string_view account_id, std::string_view purpose, std::int64_t now_ms);

}  // namespace openrd::store

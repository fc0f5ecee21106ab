#pragma once
// The brake of a country: how many of its latest codes were redeemed, and until when it is sent nothing.
#include "db/engine.hpp"

#include <vector>

namespace openrd::store {

struct CountryBrake {
    std::string calling_code;
    std::int64_t paused_until_ms = 0;
    std::int64_t counted_from_ms = 0;  // codes that ended earlier do not count any more
};
struct Redemption {
    std::int64_t codes = 0, redeemed = 0;
};

// A code that is sent to a phone of that country. Forgets those of the country that ended before `forget_ms`.
void insert_code_sample(db::Transaction&, std::string_view calling_code, std::string_view verification_id, std::int64_t created_at_ms, std::int64_t expires_at_ms,
                        std::int64_t forget_ms);
void redeem_code_sample(db::Transaction&, std::string_view calling_code, std::string_view verification_id);
// Of the last `latest` codes whose time was up between from_ms and now_ms: those under way prove nothing yet, redeemed or not.
Redemption count_redemption(db::Transaction&, std::string_view calling_code, std::int64_t from_ms, std::int64_t now_ms, std::int64_t latest);

std::optional<CountryBrake> find_country_brake(db::Transaction&, std::string_view calling_code);
// Unless it is paused already.
void pause_country(db::Transaction&, std::string_view calling_code, std::int64_t now_ms, std::int64_t until_ms);
// The operator's way out; the codes so far do not count any more. False: it was not paused.
bool release_country(db::Transaction&, std::string_view calling_code, std::int64_t now_ms);
std::vector<CountryBrake> list_paused_countries(db::Transaction&, std::int64_t now_ms);

}  // namespace openrd::store

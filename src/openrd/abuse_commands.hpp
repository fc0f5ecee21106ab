#pragma once
// `openrd suppress ...` and `openrd limits ...`: whom nothing is sent to, and how much a directory or a country is. On the database,
// beside a running server or without one; each change is in the audit log. Answers are JSON on stdout.
#include "openrd/data.hpp"

#include <optional>
#include <string>

namespace openrd {

struct SuppressOptions {
    DataPlace place;
    std::string phone;  // 65-81234567 or +6581234567
    std::string reason = "operator";
    std::uint32_t days = 0;  // 0: for good
};

// Each returns 0. Failure with status 1: nothing to do; 2: that is no phone or no reason, or the database cannot be used.
int suppress_add(const SuppressOptions&);
int suppress_remove(const SuppressOptions&);
int suppress_list(const SuppressOptions&);

struct LimitsOptions {
    DataPlace place;
    std::string directory_id;
    std::string sends_per_hour, sends_per_day, wrong_per_day;  // a number or "none"; empty: as in the settings
    std::string calling_code;
};

int limits_set(const LimitsOptions&);
int limits_show(const LimitsOptions&);
int limits_clear(const LimitsOptions&);
int limits_paused(const LimitsOptions&);   // the countries whose brake is on
int limits_release(const LimitsOptions&);  // takes it off

}  // namespace openrd

#pragma once
// Rules of parameters that several rooms of the directory share. A shared rule names no fault whose code holds a parameter's
// name: %s stands for it.
#include "api/faults.hpp"
#include "api/rule.hpp"

namespace openrd::operations::resource_directory {

inline constexpr api::Rule account_id_rule{.says = "16 digits", .length = {16, 16}, .alphabet = "0-9", .refused_as = &fault::invalid_parameter};
// Where the vendor's table has a row for an empty one.
inline constexpr api::Rule given_account_id_rule{
    .says = "16 digits", .length = {16, 16}, .alphabet = "0-9", .refused_as = &fault::invalid_parameter, .empty_as = &fault::missing_parameter};

inline constexpr bool folder_id_form(std::string_view id) { return (id.starts_with("r-") && id.size() == 8) || (id.starts_with("fd-") && id.size() == 13); }
inline constexpr api::Rule folder_id_rule{.says = "r- and 6, or fd- and 10 letters or digits",
                                          .alphabet = "a-zA-Z0-9-",
                                          .holds = folder_id_form,
                                          .refused_as = &fault::invalid_parameter,
                                          .empty_as = &fault::missing_parameter};

// MobileNumber::parse is the rule; whether it is a mobile number the room asks the numbering table.
inline constexpr api::Rule mobile_number_rule{.says = "<country code>-<mobile number>, digits", .refused_as = &fault::invalid_secure_mobile_phone};

inline constexpr api::Rule keyword_rule{.says = "up to 128 characters", .length = {0, 128}};

}  // namespace openrd::operations::resource_directory

#pragma once
// Page numbers and page tokens, as most lists of the vendor have them.
#include "api/faults.hpp"
#include "api/field.hpp"

namespace openrd::api {

inline constexpr Rule page_number_rule{.says = "from 1", .range = {1, 200'000, true}};
inline constexpr Rule page_size_rule{.says = "1 to 100", .range = {1, 100, true}};
inline constexpr Rule max_results_rule{.says = "1 to 100", .range = {1, 100}, .refused_as = &fault::invalid_parameter};
inline constexpr Rule next_token_rule{
    .says = "the NextToken of the last answer", .length = {0, 256}, .refused_as = &fault::invalid_parameter, .wrong_length_as = &fault::next_token_too_long};

struct Page {
    std::int32_t number = 1;
    std::int32_t size = 10;
};
inline constexpr Field<Page> page_parameters[] = {
    optional<&Page::number>("PageNumber", page_number_rule),
    optional<&Page::size>("PageSize", page_size_rule),
};

struct PageOf {
    std::int32_t number = 0, size = 0, total = 0;
};
inline constexpr Field<PageOf> page_fields[] = {
    field<&PageOf::number>("PageNumber"),
    field<&PageOf::size>("PageSize"),
    field<&PageOf::total>("TotalCount"),
};

struct TokenPage {
    std::optional<std::int32_t> max_results;
    std::string next_token;
};
inline constexpr Field<TokenPage> token_parameters[] = {
    optional<&TokenPage::max_results>("MaxResults", max_results_rule),
    optional<&TokenPage::next_token>("NextToken", next_token_rule),
};

}  // namespace openrd::api

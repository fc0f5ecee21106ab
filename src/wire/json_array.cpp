#include "wire/json_array.hpp"

#include "wire/json_flatten.hpp"

namespace openrd::wire {

bool flatten_json_array(std::string_view name, std::string_view json, std::vector<Parameters::Entry>& into, const base::ParameterLimits& limits) {
    return flatten_json(json, JsonTop::array, name, limits, into).has_value();
}

}  // namespace openrd::wire

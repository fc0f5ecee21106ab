#pragma once
// From the Answer of an operation to the bytes of the answer, by its declaration.
#include "api/operation.hpp"

#include <string>
#include <string_view>

namespace openrd::pipeline {

std::string encode_json(const api::AnyOperation& operation, const void* answer, api::Version version, std::string_view request_id);
std::string encode_xml(const api::AnyOperation& operation, const void* answer, api::Version version, std::string_view request_id);

}  // namespace openrd::pipeline

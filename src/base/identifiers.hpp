#pragma once
// Random identifiers of the vendor's forms, from the kernel's generator.
#include <cstddef>
#include <string>
#include <string_view>

namespace openrd::base {

std::string random_bytes(std::size_t count);

// `prefix` and `count` random letters and digits: identifier("fd-", 10).
std::string identifier(std::string_view prefix, std::size_t count);
std::string random_digits(std::size_t count);  // the first is not 0

// 7F75E7B4-4636-4DB4-A8DE-5FC4A9E1F876: a random UUID in upper case, as RequestIds are written.
std::string request_id();

}  // namespace openrd::base

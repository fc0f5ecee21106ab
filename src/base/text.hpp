#pragma once
// Small operations on text and bytes.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::base {

// Well-formed UTF-8 (no surrogates, no overlong forms) without a NUL byte.
bool is_clean_utf8(std::string_view text);

// Holds a character that is not seen or turns what is seen around (control, zero width, bidirectional marks, tags): no name of
// anything has one for a good reason. `text` is clean UTF-8.
bool has_invisible(std::string_view text);

// ASCII letters in lower case; the rest as it is.
std::string ascii_lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

std::string hex(std::string_view bytes);  // lower case
std::optional<std::string> unhex(std::string_view text);
std::string base64(std::string_view bytes);                  // with padding
std::optional<std::string> unbase64(std::string_view text);  // strict
std::string base64_url(std::string_view bytes);              // without padding
std::optional<std::string> unbase64_url(std::string_view text);

// Without spaces and tabs at both ends.
std::string_view trimmed(std::string_view text);

}  // namespace openrd::base

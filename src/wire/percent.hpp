#pragma once
// Percent-encoding as the vendor signs it, and form decoding as its gateway reads it (protocol.md A.2).
#include <string>
#include <string_view>

namespace openrd::wire {

// RFC 3986 over bytes: A-Z a-z 0-9 - _ . ~ stay, everything else becomes %XX in upper case.
void append_percent_encoded(std::string& out, std::string_view text);
std::string percent_encode(std::string_view text);

// Encoded once more after encoding, in one pass: what V1 puts around an already encoded name or value.
void append_twice_percent_encoded(std::string& out, std::string_view text);

// '+' is a space, %XX is a byte; an escape that is none stays as it is. Any bytes may come out, NUL too.
void append_form_decoded(std::string& out, std::string_view text);
std::string form_decode(std::string_view text);

}  // namespace openrd::wire

#pragma once
// The words of a message. English and one segment of GSM 03.38, so that it costs one message and no letter is lost; the last line
// binds the code to its origin, so that a phone offers it nowhere else. Never a link (verification.md 7.2).
#include "base/secret.hpp"
#include "delivery/channel.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace openrd::delivery {

inline constexpr std::string_view template_bind_secure_phone = "bind-secure-phone", template_enable_directory = "enable-resource-directory", template_plain = "plain";
// The template of a verification's purpose; the plain one when it has none of its own.
std::string_view template_of(std::string_view purpose);

// The septets that a text takes in the default alphabet of GSM 03.38; nothing when it has a letter that is not in it. ASCII only:
// what else the alphabet has is not used here.
std::optional<std::size_t> septets(std::string_view text);
inline constexpr std::size_t segment_septets = 160;

// It holds the code, so it is as secret as that.
struct MessageText {
    base::Secret text;
    int segments = 1;
};

class Texts {
  public:
    // `origin`: the name that the code is bound to, 1 to 40 letters, digits, dots and hyphens; otherwise std::invalid_argument.
    explicit Texts(std::string origin = "openrd");

    // English whatever the message's language: there is no other one yet.
    MessageText write(const OutgoingMessage& message) const;

  private:
    std::string origin_;
};

}  // namespace openrd::delivery

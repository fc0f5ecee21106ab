#pragma once
// The words of a message, in English or Chinese by the country of the number: one segment, so that it costs one message and no letter
// is lost. English ends with the line that binds the code to its origin, so that a phone offers it nowhere else. Never a link
// (verification.md 7.2). Operators may write their own.
#include "base/delivery_settings.hpp"
#include "base/secret.hpp"
#include "delivery/channel.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace openrd::delivery {

inline constexpr std::string_view template_bind_secure_phone = "bind-secure-phone", template_enable_directory = "enable-resource-directory", template_plain = "plain",
                                  template_phone_bound = "phone-bound";  // a notice, by e-mail: it has no code
// The template of a verification's purpose; the plain one when it has none of its own.
std::string_view template_of(std::string_view purpose);
// It says something and has no code.
bool is_notice(std::string_view purpose);

// The septets that a text takes in the default alphabet of GSM 03.38; nothing when it has a letter that is not in it. ASCII only:
// what else the alphabet has is not used here.
std::optional<std::size_t> septets(std::string_view text);
// The 16-bit units that it takes in UCS-2 otherwise.
std::size_t ucs2_units(std::string_view text);
inline constexpr std::size_t segment_septets = 160, segment_units = 70;

// It holds the code, so it is as secret as that.
struct MessageText {
    base::Secret text;
    int segments = 1;
    bool gsm = true;  // the default alphabet has all of it; otherwise UCS-2
};

struct MailText {
    std::string subject;  // never with the code: it is seen on locked screens and in lists
    base::Secret body;
};

class Texts {
  public:
    // std::invalid_argument, with what is wrong: an origin that is no name of at most 40 letters, digits, dots and hyphens; a
    // template that is not known, does not fit into one segment, has no {code}, another {word} than {code}, {account} and {valid}, or
    // something that a phone would show as a link.
    explicit Texts(const base::TextSettings& settings);
    // As delivered, but for the origin.
    explicit Texts(std::string origin = "openrd");

    // "en" or "zh".
    std::string_view language_of(const phone::MobileNumber& to) const;
    MessageText write(const OutgoingMessage& message) const;
    MailText mail(const OutgoingMessage& message) const;

  private:
    std::string_view language_of(const OutgoingMessage& message) const;
    std::string fill(const OutgoingMessage& message, std::string_view language) const;

    std::string origin_;
    std::vector<std::string> chinese_;
    std::map<std::string, std::string, std::less<>> templates_;
};

}  // namespace openrd::delivery

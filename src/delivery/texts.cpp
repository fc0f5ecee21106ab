#include "delivery/texts.hpp"

#include "base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace openrd::delivery {
namespace {

bool names_an_origin(std::string_view text) {
    return !text.empty() && text.size() <= 40 &&
           std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-'; });
}

std::string valid_for(std::int64_t ms) {
    const auto minutes = std::max<std::int64_t>(1, ms / base::minute_ms);
    return minutes == 1 ? "1 minute" : fmt::format("{} minutes", minutes);
}

}  // namespace

std::string_view template_of(std::string_view purpose) {
    if (purpose == "bind") return template_bind_secure_phone;
    if (purpose == "enable") return template_enable_directory;
    return template_plain;
}

std::optional<std::size_t> septets(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) {
        if (c == '`' || ((c < 0x20 || c > 0x7E) && c != '\n' && c != '\r')) return {};
        count += std::string_view("^{}[]~\\|").find(c) == std::string_view::npos ? 1 : 2;
    }
    return count;
}

Texts::Texts(std::string origin) : origin_(std::move(origin)) {
    if (!names_an_origin(origin_)) throw std::invalid_argument("the origin of messages is a name of at most 40 letters, digits, dots and hyphens");
}

MessageText Texts::write(const OutgoingMessage& message) const {
    std::string text;
    text.reserve(512);  // so that no piece of it is left behind in memory that was given back
    const auto out = std::back_inserter(text);
    const auto code = message.code.reveal();
    if (message.template_id == template_bind_secure_phone) fmt::format_to(out, "{} is your code to bind this phone to account {}.", code, message.account_id);
    else if (message.template_id == template_enable_directory) fmt::format_to(out, "{} is your resource directory code for account {}.", code, message.account_id);
    else fmt::format_to(out, "{} is your verification code.", code);
    fmt::format_to(out, " Valid for {}. Do not share it.\n\n@{} #{}", valid_for(message.valid_for_ms), origin_, code);
    const auto size = septets(text).value_or(2 * text.size());
    return {.text = base::Secret(std::move(text)), .segments = size <= segment_septets ? 1 : static_cast<int>((size + 152) / 153)};
}

}  // namespace openrd::delivery

#include "delivery/texts.hpp"

#include "base/clock.hpp"
#include "base/text.hpp"
#include "wire/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace openrd::delivery {
namespace {

constexpr std::size_t longest_template_bytes = 1000;

struct Delivered {
    std::string_view name, language, subject, text;
};

constexpr Delivered as_delivered[] = {
    {template_bind_secure_phone, "en", "Your verification code", "{code} is your code to bind this phone to account {account}. Valid for {valid}. Do not share it."},
    {template_enable_directory, "en", "Your verification code", "{code} is your resource directory code for account {account}. Valid for {valid}. Do not share it."},
    {template_plain, "en", "Your verification code", "{code} is your verification code. Valid for {valid}. Do not share it."},
    {template_phone_bound, "en", "A phone was bound to your account",
     "A phone was bound to account {account}: codes for it go there from now on.\n\nWhoever did not expect this should tell the administrator of the resource directory at once."},
    {template_bind_secure_phone, "zh", "您的验证码", "验证码{code}，用于将本手机绑定到账号{account}，{valid}内有效，请勿告知他人。"},
    {template_enable_directory, "zh", "您的验证码", "验证码{code}，用于账号{account}开通资源目录，{valid}内有效，请勿告知他人。"},
    {template_plain, "zh", "您的验证码", "验证码{code}，{valid}内有效，请勿告知他人。"},
    {template_phone_bound, "zh", "您的账号已绑定手机", "账号{account}已绑定手机，此后的验证码将发送到该手机。\n\n如非本人操作，请立即联系资源目录管理员。"},
};

const Delivered& delivered(std::string_view name, std::string_view language) {
    const auto* const found = std::ranges::find_if(as_delivered, [&](const Delivered& d) { return d.name == name && d.language == language; });
    return found != std::end(as_delivered) ? *found : delivered(template_plain, language);
}

std::string key_of(std::string_view name, std::string_view language) { return fmt::format("{}.{}", name, language); }

bool names_an_origin(std::string_view text) {
    return text.size() <= 40 &&
           std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-'; });
}

std::string valid_for(std::int64_t ms, std::string_view language) {
    const auto minutes = std::max<std::int64_t>(1, ms / base::minute_ms);
    if (language == "zh") return fmt::format("{}分钟", minutes);
    return minutes == 1 ? "1 minute" : fmt::format("{} minutes", minutes);
}

// What a phone makes a link of: a scheme, or letters on both sides of a dot.
bool has_link(std::string_view text) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '}'; };
    for (std::size_t i = 1; i + 1 < text.size(); ++i)
        if (text[i] == '.' && is_letter(text[i - 1]) && (is_letter(text[i + 1]) || text[i + 1] == '{')) return true;
    return text.find("://") != std::string_view::npos;
}

void check_words(std::string_view text, const std::string& key, bool with_code) {
    bool has_code = false;
    for (std::size_t open = text.find('{'); open != std::string_view::npos; open = text.find('{', open + 1)) {
        const auto word = text.substr(open, text.find('}', open) - open + 1);
        if (word != "{code}" && word != "{account}" && word != "{valid}")
            throw std::invalid_argument(fmt::format("the text {}: {} is none of {{code}}, {{account}} and {{valid}}", key, word.substr(0, 20)));
        has_code |= word == "{code}";
    }
    if (with_code && !has_code) throw std::invalid_argument(fmt::format("the text {} has no {{code}}", key));
    if (!with_code && has_code) throw std::invalid_argument(fmt::format("the text {} is a notice: it has no {{code}}", key));
}

MessageText measured(std::string text) {
    MessageText written;
    if (const auto size = septets(text)) {
        written.segments = *size <= segment_septets ? 1 : static_cast<int>((*size + 152) / 153);
    } else {
        const auto units = ucs2_units(text);
        written.gsm = false;
        written.segments = units <= segment_units ? 1 : static_cast<int>((units + 66) / 67);
    }
    written.text = base::Secret(std::move(text));
    return written;
}

}  // namespace

std::string_view template_of(std::string_view purpose) {
    if (purpose == "bind") return template_bind_secure_phone;
    if (purpose == "enable") return template_enable_directory;
    if (purpose == "phone-bound") return template_phone_bound;
    return template_plain;
}

bool is_notice(std::string_view purpose) { return template_of(purpose) == template_phone_bound; }

std::optional<std::size_t> septets(std::string_view text) {
    std::size_t count = 0;
    for (const char c : text) {
        if (c == '`' || ((c < 0x20 || c > 0x7E) && c != '\n' && c != '\r')) return {};
        count += std::string_view("^{}[]~\\|").find(c) == std::string_view::npos ? 1 : 2;
    }
    return count;
}

std::size_t ucs2_units(std::string_view text) {
    std::size_t units = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto bytes = static_cast<unsigned char>(text[at]) < 0x80 ? 1 : std::max<std::size_t>(1, wire::utf8_sequence(text, at));
        units += bytes == 4 ? 2 : 1;
        at += bytes;
    }
    return units;
}

Texts::Texts(std::string origin) : Texts(base::TextSettings{.origin = std::move(origin)}) {}

Texts::Texts(const base::TextSettings& settings) : origin_(settings.origin), chinese_(settings.chinese) {
    if (!names_an_origin(origin_)) throw std::invalid_argument("the origin of messages is a name of at most 40 letters, digits, dots and hyphens");
    for (const auto& code : chinese_)
        if (!phone::MobileNumber::parse(code + "-10000000")) throw std::invalid_argument(fmt::format("{} is no calling code", code));
    for (const auto& [key, text] : settings.templates) {
        const auto* const known = std::ranges::find_if(as_delivered, [&key = key](const Delivered& d) { return key_of(d.name, d.language) == key; });
        if (known == std::end(as_delivered)) throw std::invalid_argument(fmt::format("there is no text {}", key));
        if (text.size() > longest_template_bytes || !base::is_clean_utf8(text)) throw std::invalid_argument(fmt::format("the text {} is not UTF-8 of at most 1000 bytes", key));
        check_words(text, key, known->name != template_phone_bound);
        if (has_link(text)) throw std::invalid_argument(fmt::format("the text {} has something that a phone shows as a link", key));
        templates_.insert_or_assign(key, text);
    }
    // With the longest values that there are.
    OutgoingMessage longest{
        .id = {}, .to = {}, .account_id = std::string(16, '0'), .purpose = {}, .template_id = {}, .code = base::Secret("000000"), .valid_for_ms = 10 * base::minute_ms};
    for (const auto& text : as_delivered) {
        if (text.name == template_phone_bound) continue;
        longest.template_id = text.name;
        longest.language = text.language;
        if (write(longest).segments > 1)
            throw std::invalid_argument(
                fmt::format("the text {} does not fit into one message: 160 letters of the GSM alphabet, or 70 of others", key_of(text.name, text.language)));
    }
}

std::string_view Texts::language_of(const phone::MobileNumber& to) const { return !to.empty() && std::ranges::find(chinese_, to.calling_code()) != chinese_.end() ? "zh" : "en"; }

std::string_view Texts::language_of(const OutgoingMessage& message) const {
    if (message.language == "zh") return "zh";
    return message.language.empty() ? language_of(message.to) : "en";
}

std::string Texts::fill(const OutgoingMessage& message, std::string_view language) const {
    const auto own = templates_.find(key_of(message.template_id, language));
    const std::string_view text = own != templates_.end() ? std::string_view(own->second) : delivered(message.template_id, language).text;
    std::string out;
    out.reserve(2 * longest_template_bytes);  // so that no piece of it is left behind in memory that was given back
    for (std::size_t at = 0; at < text.size();) {
        const auto open = std::min(text.find('{', at), text.size());
        out += text.substr(at, open - at);
        if (open == text.size()) break;
        const auto close = text.find('}', open);
        const auto word = text.substr(open + 1, close - open - 1);
        if (word == "code") out += message.code.reveal();
        else if (word == "account") out += message.account_id;
        else out += valid_for(message.valid_for_ms, language);
        at = close + 1;
    }
    return out;
}

MessageText Texts::write(const OutgoingMessage& message) const {
    const auto language = language_of(message);
    auto text = fill(message, language);
    if (language == "en" && !origin_.empty()) fmt::format_to(std::back_inserter(text), "\n\n@{} #{}", origin_, message.code.reveal());
    return measured(std::move(text));
}

MailText Texts::mail(const OutgoingMessage& message) const {
    const auto language = language_of(message);
    return {.subject = std::string(delivered(message.template_id, language).subject), .body = base::Secret(fill(message, language))};
}

}  // namespace openrd::delivery

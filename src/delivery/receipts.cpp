#include "delivery/receipts.hpp"

#include "wire/percent.hpp"

#include <algorithm>

namespace openrd::delivery {
namespace {

constexpr std::size_t longest_id = 64;

bool is_id(std::string_view text) {
    return !text.empty() && text.size() <= longest_id &&
           std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

}  // namespace

std::string receipt_path(const keys::Ring& ring, std::string_view channel, std::string_view message_id) {
    std::string path(receipts_prefix);
    wire::append_percent_encoded(path, channel);
    path += '/';
    wire::append_percent_encoded(path, message_id);
    path += '/';
    return path += ring.receipt_token(channel, message_id);
}

std::optional<std::string> message_of_receipt(const keys::Ring& ring, std::string_view channel, std::string_view target) {
    auto path = target.substr(0, target.find('?'));
    if (!path.starts_with(receipts_prefix)) return {};
    path.remove_prefix(receipts_prefix.size());
    if (!path.starts_with(channel) || !path.substr(channel.size()).starts_with('/')) return {};
    path.remove_prefix(channel.size() + 1);
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) return {};
    const auto id = path.substr(0, slash);
    if (!is_id(id) || !ring.receipt_token_matches(channel, id, path.substr(slash + 1))) return {};
    return std::string(id);
}

std::string form_value(std::string_view form, std::string_view name) {
    std::string value;
    while (!form.empty()) {
        const auto pair = form.substr(0, form.find('&'));
        form.remove_prefix(std::min(form.size(), pair.size() + 1));
        const auto equals = pair.find('=');
        if (wire::form_decode(pair.substr(0, equals)) == name) value = equals == std::string_view::npos ? std::string() : wire::form_decode(pair.substr(equals + 1));
    }
    return value;
}

std::string query_value(std::string_view target, std::string_view name) {
    const auto question = target.find('?');
    return question == std::string_view::npos ? std::string() : form_value(target.substr(question + 1), name);
}

}  // namespace openrd::delivery

#include "delivery/attempt.hpp"

#include "base/log.hpp"
#include "delivery/texts.hpp"

#include <algorithm>

namespace openrd::delivery {

std::optional<Destination> destination_of(const keys::Ring& ring, const store::Message& message) {
    auto opened = ring.open(keys::Purpose::outbox, message.phone_sealed, message.message_id);
    if (!opened) return {};
    if (auto number = phone::MobileNumber::parse(opened->reveal())) return Destination{.number = *std::move(number), .email = {}};
    if (opened->reveal().find('@') == std::string_view::npos) return {};
    return Destination{.number = {}, .email = *std::move(opened)};
}

std::string outgoing_id(const store::Message& message) { return message.account_id + "-" + message.message_id; }

std::optional<MessageKey> key_of_outgoing_id(std::string_view id) {
    const auto dash = id.find('-');
    if (dash == std::string_view::npos || dash == 0 || dash + 1 == id.size()) return {};
    if (!std::ranges::all_of(id.substr(0, dash), [](char c) { return c >= '0' && c <= '9'; })) return {};
    return MessageKey{.account_id = std::string(id.substr(0, dash)), .message_id = std::string(id.substr(dash + 1))};
}

SendResult send_once(const keys::Ring& ring, const store::Message& message, const Destination& to, Channel& channel, std::int64_t now_ms, const std::stop_token& stop) {
    try {
        const auto address = to.number.empty() ? to.email.reveal() : to.number.reveal_e164();
        return channel.send({.id = outgoing_id(message),
                             .to = to.number,
                             .account_id = message.account_id,
                             .purpose = message.purpose,
                             .template_id = std::string(template_of(message.purpose)),
                             .code = ring.code(message.verification_id, message.account_id, message.purpose, address, static_cast<std::uint32_t>(message.code_key_id)),
                             .valid_for_ms = message.expires_at_ms - now_ms,
                             .now_ms = now_ms,
                             .expires_at_ms = message.expires_at_ms,
                             .email = to.email},
                            stop);
    } catch (const keys::MissingKey&) {  // the code could not be made, so nothing went out
        return {.outcome = Sent::not_sent, .provider_ref = {}, .provider_code = "missing_key"};
    } catch (const std::exception&) {
        return {.outcome = Sent::unknown, .provider_ref = {}, .provider_code = "exception"};  // its words may be about the message
    }
}

std::optional<SendResult> ask(const store::Message& message, const Destination& to, Channel& channel) {
    try {
        auto found = channel.reconcile(outgoing_id(message), to.number, message.created_at_ms);
        if (found && found->outcome != Sent::unknown) return found;
    } catch (const std::exception&) { base::log::warning("reconciliation_failed", {{"message_id", message.message_id}, {"channel", channel.name()}}); }
    return {};
}

}  // namespace openrd::delivery

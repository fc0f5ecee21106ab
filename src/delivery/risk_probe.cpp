#include "delivery/risk_probe.hpp"

#include "base/log.hpp"
#include "base/time_text.hpp"
#include "delivery/gateway.hpp"
#include "delivery/webhook_signature.hpp"
#include "wire/json_writer.hpp"

#include <charconv>
#include <stdexcept>

namespace openrd::delivery {
namespace {

constexpr std::int64_t later_ms = 2 * base::second_ms;

// Certainly not sent; on the same channel, since another one would ask the same probe.
SendResult later(std::string_view why) { return {.outcome = Sent::throttled, .provider_ref = {}, .provider_code = std::string(why), .retry_after_ms = later_ms}; }

HttpOptions options_of(const RiskSettings& s) {
    return {.connect_ms = s.timeout_ms, .total_ms = s.timeout_ms, .ca_file = s.ca_file, .proxy = {}, .public_only = true, .loopback_too = s.loopback};
}

}  // namespace

WebhookRiskProbe::WebhookRiskProbe(RiskSettings settings) : settings_(std::move(settings)), http_(options_of(settings_)) {
    if (!settings_.url.starts_with("https://") && !settings_.loopback) throw std::invalid_argument("risk.url is no https:// address");
    auto key = webhook_key(settings_.secret);
    if (!key) throw std::invalid_argument("risk.secret is whsec_ and base64 of 24 to 64 bytes");
    keys_.push_back(*std::move(key));
}

RiskAnswer WebhookRiskProbe::ask(const OutgoingMessage& message, const std::stop_token& stop) {
    std::string body;
    body.reserve(1024);  // so that no piece of it is left behind in memory that was given back
    wire::JsonWriter json(body);
    json.begin_answer("");
    json.text("type", "risk.check");
    json.text("timestamp", base::utc_milliseconds(message.now_ms));
    json.begin_object("data");
    json.text("id", message.id), json.text("to", message.to.reveal_e164()), json.text("account_id", message.account_id), json.text("purpose", message.purpose);
    json.end_object("data");
    json.end_answer("");
    const auto timestamp_s = base::real_now_ms() / base::second_ms;
    HttpRequest request{.url = settings_.url, .headers = {}, .body = {}};
    const auto header = [&](std::string name, std::string value) { request.headers.emplace_back(std::move(name), base::Secret(std::move(value))); };
    header("content-type", "application/json");
    header("webhook-id", message.id);
    header("webhook-timestamp", std::to_string(timestamp_s));
    header("webhook-signature", webhook_signature(keys_, message.id, timestamp_s, body));
    request.body = base::Secret(std::move(body));
    const auto reply = http_.exchange(request, stop);
    if (reply.evidence != Evidence::answered || reply.status != 200) return {};
    auto answer = read(reply.body);
    answer.reason = harmless(answer.reason, message.to, message.code);
    return answer;
}

RiskAnswer WebhookRiskProbe::read(std::string_view body) const {
    const JsonAnswer json(body);
    if (!json.read()) return {};
    const auto younger = [&](std::string_view name) {
        const auto text = json.text(name);
        std::int64_t hours = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hours);
        return !text.empty() && error == std::errc() && hours < settings_.youngest_ms / base::hour_ms;
    };
    const auto decision = json.text("decision");
    if (decision == "refuse") return {.risk = Risk::refused, .reason = json.text("reason").empty() ? "refused" : json.text("reason")};
    if (decision == "allow") return {.risk = Risk::none, .reason = {}};
    if (!decision.empty()) return {};  // a word that we do not know is no answer
    if (younger("sim_swap_hours")) return {.risk = Risk::refused, .reason = "sim_swap"};
    if (younger("port_hours")) return {.risk = Risk::refused, .reason = "port"};
    return {.risk = Risk::none, .reason = {}};
}

SendResult ProbedChannel::send(const OutgoingMessage& message, std::stop_token stop) {
    if (message.to.empty()) return channel_.send(message, std::move(stop));
    RiskAnswer answer;
    try {
        answer = probe_.ask(message, stop);
    } catch (const std::exception&) {
        base::log::error("the risk probe failed", {{"message_id", message.id}});  // its words may be about the message
    }
    if (answer.risk == Risk::refused) {
        try {
            refused_(message, answer.reason);
        } catch (const std::exception& error) {
            base::log::error("a refusal by the risk probe was not recorded", {{"message_id", message.id}, {"reason", error.what()}});
            return later("risk_unrecorded");
        }
        return {.outcome = Sent::rejected, .provider_ref = {}, .provider_code = "risk_" + answer.reason};
    }
    if (answer.risk == Risk::unknown) {
        base::log::warning("the risk probe does not answer", {{"message_id", message.id}, {"sent", fail_open_ ? "yes" : "no"}});
        if (!fail_open_) return later("risk_unknown");
    }
    return channel_.send(message, std::move(stop));
}

}  // namespace openrd::delivery

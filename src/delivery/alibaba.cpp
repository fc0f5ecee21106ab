#include "delivery/alibaba.hpp"

#include "base/identifiers.hpp"
#include "base/time_text.hpp"
#include "wire/json_writer.hpp"

#include <algorithm>
#include <array>

namespace openrd::delivery {
namespace {

constexpr std::string_view globe_url = "https://dysmsapi.ap-southeast-1.aliyuncs.com/", mainland_url = "https://dysmsapi.aliyuncs.com/";
constexpr std::string_view mainland = "86";

// Of the account, not of the message: nothing goes out until somebody has done something about it.
constexpr std::string_view configuration_codes[] = {
    "isv.DAY_LIMIT_CONTROL",   "isv.MONTH_LIMIT_CONTROL",  "isv.OUT_OF_SERVICE",      "isv.AMOUNT_NOT_ENOUGH",           "isv.ACCOUNT_NOT_EXISTS",
    "isv.ACCOUNT_ABNORMAL",    "isv.PRODUCT_UN_SUBSCRIPT", "isv.PRODUCT_UNSUBSCRIBE", "isv.TEMPLATE_MISSING_PARAMETERS", "isv.TEMPLATE_PARAMS_ILLEGAL",
    "isp.RAM_PERMISSION_DENY", "isv.RAM_PERMISSION_DENY",  "isv.DENY_IP_RANGE",       "isv.INVALID_JSON_PARAM"};
constexpr std::string_view configuration_prefixes[] = {"isv.SMS_SIGN",          "isv.SMS_TEMPLATE",    "isv.SIGN_",          "isv.TEMPLATE_", "InvalidAccessKeyId",
                                                       "SignatureDoesNotMatch", "IncompleteSignature", "InvalidTimeStamp",   "Forbidden",     "NoPermission",
                                                       "InvalidAction",         "InvalidVersion",      "SignatureNonceUsed", "Unauthorized"};

bool is_configuration(std::string_view code) {
    return std::ranges::find(configuration_codes, code) != std::end(configuration_codes) ||
           std::ranges::any_of(configuration_prefixes, [&](std::string_view prefix) { return code.starts_with(prefix); });
}

std::string query_of(const std::vector<std::pair<std::string, std::string>>& fields) {
    std::string query;
    for (const auto& [name, value] : fields) append_field(query, name, value);
    return query;
}

std::string_view host_of(std::string_view url) {
    url.remove_prefix(url.find("://") + 3);
    return url.substr(0, url.find('/'));
}

// 20261124, of the vendor's day.
std::string day(std::int64_t ms) {
    auto text = base::utc_seconds(ms + 8 * base::hour_ms).substr(0, 10);
    std::erase(text, '-');
    return text;
}

}  // namespace

Alibaba::Alibaba(const base::ChannelSettings& given, const keys::Ring& ring, std::shared_ptr<const Texts> texts)
    : Gateway(given, ring, std::move(texts)), http_(http_options()), key_(given.secret), url_(given.url.empty() ? globe_url : given.url),
      china_url_(given.china_url.empty() ? mainland_url : given.china_url) {
    want("user", !settings().user.empty());
    want("secret", !settings().secret.empty());
    if (settings().sign_name.empty() != settings().template_code.empty()) refuse("sign_name", "and template_code go together");
    if (settings().sign_name.empty() && std::ranges::find(settings().countries, mainland) != settings().countries.end())
        refuse("countries", "has 86, which needs sign_name and template_code");
    for (auto* const url : {&url_, &china_url_})
        if (std::ranges::count(*url, '/') == 2) *url += '/';
}

bool Alibaba::covers(const phone::MobileNumber& to) const { return Gateway::covers(to) && (to.calling_code() != mainland || !settings().sign_name.empty()); }

HttpReply Alibaba::call(const std::string& url, std::string_view action, std::string_view version, Fields fields, const std::stop_token& stop) const {
    const Fields headers{{"host", std::string(host_of(url))},
                         {"x-acs-action", std::string(action)},
                         {"x-acs-content-sha256", wire::sha256_hex({})},
                         {"x-acs-date", base::utc_seconds(base::real_now_ms())},  // the vendor's clock is the real one
                         {"x-acs-signature-nonce", base::request_id()},
                         {"x-acs-version", std::string(version)}};
    std::vector<wire::HeaderView> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    auto authorization = wire::sign_v3(key_, settings().user, wire::default_signed_headers(views), {.method = "POST", .query = fields, .headers = views, .body = {}});
    auto query = query_of(fields);
    HttpRequest request{.url = url + "?" + query};
    for (const auto& [name, value] : headers) request.headers.emplace_back(name, base::Secret(value));
    request.headers.emplace_back("authorization", base::Secret(std::move(authorization)));
    request.headers.emplace_back("accept", base::Secret("application/json"));
    auto reply = http_.exchange(request, stop);
    base::wipe(request.url);
    base::wipe(query);
    for (auto& [name, value] : fields) base::wipe(value);
    return reply;
}

SendResult Alibaba::send(const OutgoingMessage& message, std::stop_token stop) {
    if (message.to.calling_code() == mainland) {
        std::string parameter = "{\"code\":";
        wire::append_json_text(parameter, message.code.reveal());
        parameter += '}';
        return judged(message,
                      call(china_url_, "SendSms", "2017-05-25",
                           {{"PhoneNumbers", std::string(message.to.reveal_national())},
                            {"SignName", settings().sign_name},
                            {"TemplateCode", settings().template_code},
                            {"TemplateParam", std::move(parameter)},
                            {"OutId", message.id}},
                           stop),
                      "Code", "BizId");
    }
    const auto text = texts().write(message);
    Fields fields{{"To", std::string(message.to.reveal_e164().substr(1))},
                  {"Message", std::string(text.text.reveal())},
                  {"Type", "OTP"},
                  {"TaskId", message.id},
                  {"ValidityPeriod", std::to_string(std::max<std::int64_t>(60, message.valid_for_ms / base::second_ms))}};
    if (!settings().from.empty()) fields.emplace_back("From", settings().from);
    auto sent = judged(message, call(url_, "SendMessageToGlobe", "2018-05-01", std::move(fields), stop), "ResponseCode", "MessageId");
    sent.segments = text.segments;
    return sent;
}

SendResult Alibaba::judged(const OutgoingMessage& message, const HttpReply& reply, std::string_view code_member, std::string_view ref_member) const {
    const bool answered = reply.evidence == Evidence::answered;
    const JsonAnswer answer(answered ? std::string_view(reply.body) : std::string_view());
    auto code = answer.text(code_member);
    if (code.empty()) code = answer.text("Code");  // of the gateway in front of the service
    // It is refused whatever the status is that comes with it.
    if (answered && (code.starts_with("Throttling") || code == "isp.GATEWAY_THROTTLING")) {
        auto throttled = result(message, Sent::throttled, "", code);
        throttled.retry_after_ms = reply.retry_after_ms;
        return throttled;
    }
    if (answered && reply.status < 500 && is_configuration(code)) return result(message, Sent::channel_down, "", code);
    if (auto known = classified(reply)) return *known;
    if (reply.status < 300 && code == "OK") return result(message, Sent::accepted, answer.text(ref_member), code);
    // isv.: the vendor's word for what is wrong with this message. BUSINESS_LIMIT_CONTROL too: the phone has had enough, and one more
    // try would only be one more.
    if (code.starts_with("isv.") || reply.status >= 400) return result(message, Sent::rejected, "", code.empty() ? "http_" + std::to_string(reply.status) : code);
    return result(message, Sent::unknown, "", code.empty() ? "no_code" : code);
}

std::optional<SendResult> Alibaba::reconcile(std::string_view message_id, const phone::MobileNumber& to, std::int64_t since_ms) {
    if (to.calling_code() != mainland) return {};  // the other operation's messages are found by a reference that nobody has
    // The try may have been after midnight.
    std::vector<std::string> days{day(since_ms)};
    if (auto next = day(since_ms + 10 * base::minute_ms); next != days.front()) days.push_back(std::move(next));
    for (const auto& date : days) {
        const auto reply = call(china_url_, "QuerySendDetails", "2017-05-25",
                                {{"PhoneNumber", std::string(to.reveal_national())}, {"SendDate", date}, {"PageSize", "50"}, {"CurrentPage", "1"}}, {});
        if (reply.evidence != Evidence::answered || reply.status != 200) continue;
        const JsonAnswer answer(reply.body);
        for (int i = 1; i <= 50; ++i) {
            const auto prefix = "SmsSendDetailDTOs.SmsSendDetailDTO." + std::to_string(i) + ".";
            const auto status = answer.text(prefix + "SendStatus");
            if (status.empty()) break;
            if (answer.text(prefix + "OutId") != message_id) continue;
            SendResult found{.outcome = status == "2" ? Sent::rejected : Sent::accepted, .provider_ref = {}, .provider_code = {}};
            found.provider_code = status == "2" ? harmless(answer.text(prefix + "ErrCode"), to, {}) : "found";
            return found;
        }
    }
    return {};
}

}  // namespace openrd::delivery

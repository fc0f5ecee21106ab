#pragma once
// The vendor's own short message service: SendMessageToGlobe (2018-05-01) for all but country 86, SendSms (2017-05-25) with a signature
// and a template for 86 (verification.md 7.4). Neither knows a repeated id: an unknown outcome is asked for with QuerySendDetails,
// which finds what SendSms sent. Settings: user and secret (an AccessKey); from; sign_name and template_code for 86; url, china_url.
#include "delivery/gateway.hpp"
#include "wire/signature.hpp"

namespace openrd::delivery {

class Alibaba : public Gateway {
  public:
    Alibaba(const base::ChannelSettings& settings, const keys::Ring& ring, std::shared_ptr<const Texts> texts);
    bool covers(const phone::MobileNumber& to) const override;
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override;
    std::optional<SendResult> reconcile(std::string_view message_id, const phone::MobileNumber& to, std::int64_t since_ms) override;

  private:
    using Fields = std::vector<std::pair<std::string, std::string>>;
    HttpReply call(const std::string& url, std::string_view action, std::string_view version, Fields fields, const std::stop_token& stop) const;
    SendResult judged(const OutgoingMessage& message, const HttpReply& reply, std::string_view code_member, std::string_view ref_member) const;

    HttpClient http_;
    wire::SigningKey key_;
    std::string url_, china_url_;
};

}  // namespace openrd::delivery

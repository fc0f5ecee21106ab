#pragma once
// What the channels that speak to a gateway share.
#include "base/delivery_settings.hpp"
#include "delivery/channel.hpp"
#include "delivery/http_client.hpp"
#include "delivery/receipts.hpp"
#include "delivery/texts.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace openrd::delivery {

// The member of a JSON answer: "MessageId", "NumberDetail.Country", "messages.1.sid". Empty: not there, or no JSON.
class JsonAnswer {
  public:
    explicit JsonAnswer(std::string_view json);
    ~JsonAnswer();
    JsonAnswer(const JsonAnswer&) = delete;
    JsonAnswer& operator=(const JsonAnswer&) = delete;
    std::string text(std::string_view name) const;
    bool read() const { return read_; }

  private:
    std::vector<std::pair<std::string, std::string>> members_;
    bool read_ = false;
};

// What a gateway wrote, for the outbox and the log: at most 64 letters, digits and -_.:^ of it; nothing when the number or the code
// of the message is in it.
std::string harmless(std::string_view text, const phone::MobileNumber& to, const base::Secret& code);

class Gateway : public Channel {
  public:
    // std::invalid_argument, with the name of the setting.
    Gateway(const base::ChannelSettings& settings, const keys::Ring& ring, std::shared_ptr<const Texts> texts);

    std::string_view name() const override { return settings_.name; }
    bool covers(const phone::MobileNumber& to) const override;

  protected:
    const base::ChannelSettings& settings() const { return settings_; }
    const keys::Ring& ring() const { return ring_; }
    const Texts& texts() const { return *texts_; }
    HttpOptions http_options() const;
    // Empty: no receipts.
    std::string receipt_url(std::string_view message_id) const;
    [[noreturn]] void refuse(std::string_view setting, std::string_view why) const;
    void want(std::string_view setting, bool there) const;
    SendResult result(const OutgoingMessage& message, Sent outcome, std::string_view ref, std::string_view code) const;

  private:
    base::ChannelSettings settings_;
    const keys::Ring& ring_;
    std::shared_ptr<const Texts> texts_;
};

std::string basic_authorization(std::string_view user, const base::Secret& password);
// name=value&..., percent-encoded.
void append_field(std::string& form, std::string_view name, std::string_view value);

}  // namespace openrd::delivery

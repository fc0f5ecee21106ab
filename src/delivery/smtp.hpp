#pragma once
// E-mail, for codes that confirm an address and for notices: by SMTP with STARTTLS, or TLS from the start (smtps://). An e-mail code
// never replaces the proof of a phone (verification.md 7.4). Settings: url (smtp://host:587), from; user and secret, ca_file.
#include "delivery/gateway.hpp"

namespace openrd::delivery {

class Smtp : public Gateway {
  public:
    Smtp(const base::ChannelSettings& settings, const keys::Ring& ring, std::shared_ptr<const Texts> texts);
    bool covers(const phone::MobileNumber&) const override { return false; }
    bool covers_email() const override { return true; }
    SendResult send(const OutgoingMessage& message, std::stop_token stop) override;

  private:
    std::string letter(const OutgoingMessage& message) const;

    std::string domain_;
};

// One address of printable ASCII, a local part and a domain, without anything that SMTP or a header would read as more than it.
bool is_mail_address(std::string_view text);

}  // namespace openrd::delivery

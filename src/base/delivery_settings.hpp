#pragma once
// Of the gateways that carry messages, as plain structs: openrd/ fills them from the configuration, delivery/ makes channels of them.
#include "base/clock.hpp"
#include "base/secret.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace openrd::base {

// One `[[delivery.channel]]`. What a kind does not use stays empty: delivery/channels.hpp says which uses what.
struct ChannelSettings {
    std::string kind;                      // kannel, alibaba, twilio, webhook, smtp
    std::string name;                      // lower-case letters, digits, - and _, 1 to 32; as it stands in the outbox and in the log
    std::vector<std::string> countries;    // calling codes that it reaches; empty: all that its kind can
    std::string url;                       // of the gateway
    std::string user;                      // account, access key id, login
    Secret secret;                         // password, access key secret, token, the webhook's signing secret
    std::vector<Secret> more_secrets;      // that a webhook's receiver may still use, while its secret is changed
    std::string from;                      // the sender: a number, a name, an e-mail address
    std::string smsc;                      // of kannel: the carrier's id, to choose one of several
    std::string service;                   // of twilio: MessagingServiceSid, instead of `from`
    std::string sign_name, template_code;  // of alibaba, for country 86
    std::string china_url;                 // of alibaba, for country 86
    std::string receipts_url;              // where the gateway reaches the server's receipts, without a path; empty: no receipts
    std::string ca_file;                   // of certificates trusted instead of the system's
    std::string proxy;
    std::int64_t timeout_ms = 10 * second_ms;  // of one try, connecting included: at most this
    bool loopback = false;                     // of webhook: a receiver on this machine may be used (tests)
};

struct RouteSettings {
    std::vector<std::string> countries, channels;
};

struct TextSettings {
    std::string origin = "openrd";                                   // the name that a code is bound to on the phone; empty: none
    std::vector<std::string> chinese = {"86", "852", "853", "886"};  // calling codes whose phones are written to in Chinese
    std::map<std::string, std::string> templates;                    // "<template>.<language>": what is written instead
};

// A webhook that is asked before a code is sent: docs/decisions/0028.
struct RiskSettings {
    std::string url;  // empty: there is no probe
    Secret secret;    // whsec_ and base64
    std::string ca_file;
    std::int64_t timeout_ms = 3 * second_ms;
    std::int64_t youngest_ms = 72 * hour_ms;  // a SIM or a porting that is younger is refused
    bool fail_open = false;                   // send although the probe does not answer
    bool loopback = false;                    // a probe on this machine may be asked
};

struct DeliverySettings {
    std::vector<ChannelSettings> channels;  // in order of preference
    std::vector<RouteSettings> routes;
    TextSettings texts;
    RiskSettings risk;
    std::uint32_t workers = 2;           // messages that a channel carries at once, for each server
    std::int64_t keep_ms = 30 * day_ms;  // of a message's row, from the end of its code's life; 0: for ever
};

}  // namespace openrd::base

#pragma once
// One request on its way through the stages: what each of them found out.
#include "api/operation.hpp"
#include "base/clock.hpp"
#include "db/engine.hpp"
#include "pipeline/handler.hpp"
#include "pipeline/identity.hpp"
#include "wire/error_envelope.hpp"
#include "wire/parameters.hpp"

#include <memory>
#include <optional>
#include <string>

namespace openrd::pipeline {

// Why a request was not done, ready to be answered.
struct Refusal {
    std::string code;
    int http_status = 400;
    std::string message;
    std::string recommend;
    std::int64_t retry_after_ms = 0;  // x-acs-retry-after; 0: none
    std::optional<wire::AccessDenied> denied = {};
};
Refusal refuse(const api::FaultKind& kind, std::string_view about = {});
Refusal refuse(const api::Fault& fault);

enum class Format : std::uint8_t { json, xml };

struct Exchange {
    Exchange(const Request& r, Done d) : request(r), done(std::move(d)) {}

    Request request;
    Done done;
    std::string request_id;
    std::string host;  // without the port
    std::int64_t now_ms = 0;
    db::Terms::Time::time_point until;  // nobody waits for the answer any longer
    std::int64_t begun_ns = 0;          // base::monotonic_ns
    Format format = Format::json;

    bool acs3 = false;  // signature V3; otherwise V1
    wire::Parameters parameters;
    const api::AnyOperation* operation = nullptr;
    api::Version version = api::master_2022;

    std::string access_key_id;
    std::string nonce;
    std::int64_t signed_ms = 0;
    std::string token;  // of a session
    std::optional<keys::Session> session;
    std::shared_ptr<const Identity> identity;
    bool authenticated = false;  // the signature was right: from here on refusals are recorded
    std::string nonce_hash;
    bool nonce_is_fresh = false;  // as far as this server's memory goes

    std::optional<api::Boxed> decoded;

    // The outcome.
    std::optional<Refusal> refusal;
    std::string body;  // of the success
    std::vector<std::pair<std::string_view, std::string>> concerned;
    bool failure_recorded = false;  // the record of a failed operation was tried
    bool apart = false;             // on a thread of the engine, which may wait for the database
    bool counted = false;           // among the refusals that are recorded once a minute
};

}  // namespace openrd::pipeline

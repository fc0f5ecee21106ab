// What the checks against abuse cost a Send: the whole road of a request in this process, without sockets, on a durable database; the
// same calls with every limit of the strict profile counted (and none reached) and with none. Alternating, so that both see the same
// machine.
//   sends DIRECTORY COUNT ROUNDS
// Prints one line of JSON.
#include "base/identifiers.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "db/open.hpp"
#include "keys/ring.hpp"
#include "phone/numbering.hpp"
#include "pipeline/pipeline.hpp"
#include "sandbox/seed.hpp"
#include "store/accounts.hpp"
#include "store/members.hpp"
#include "wire/percent.hpp"
#include "wire/signature.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <semaphore>
#include <stdexcept>

namespace openrd::bench {
namespace {

constexpr std::ptrdiff_t in_flight = 64;
constexpr std::uint32_t never_reached = 1'000'000'000;

std::string member_id(std::size_t i) { return fmt::format("17{:014}", i); }

base::Settings settings_of(bool strict) {
    base::Settings s;
    s.sandbox = true;
    s.quotas = {0, 0};
    s.rates.enforced = false;
    if (!strict) return s;
    auto& l = s.strict;
    for (auto* limit : {&l.sends_per_code, &l.per_phone_hour, &l.per_phone_day, &l.per_target_hour, &l.per_target_day, &l.per_directory_hour, &l.per_directory_day,
                        &l.per_caller_hour, &l.per_source_hour, &l.per_prefix_hour, &l.per_prefix_day, &l.per_country_hour, &l.system_day})
        *limit = never_reached;
    l.countries_by_list = true;
    l.countries = {"65"};
    s.brake.percent = 1;
    s.brake.at_least = never_reached;
    s.spend.budget_day_micros = INT64_C(1'000'000'000'000'000);
    return s;
}

struct Prepared {
    std::string target;
    std::vector<std::pair<std::string, std::string>> headers;
};

Prepared prepare(const wire::SigningKey& key, std::size_t i) {
    const std::string query = "AccountId=" + member_id(i) + "&SecureMobilePhone=" + fmt::format("65-8{:07}", 1'000'000 + i);
    Prepared p{.target = "/?" + query,
               .headers = {{"host", "127.0.0.1"},
                           {"x-acs-action", "SendVerificationCodeForBindSecureMobilePhone"},
                           {"x-acs-content-sha256", wire::sha256_hex("")},
                           {"x-acs-date", base::utc_seconds(base::real_now_ms())},
                           {"x-acs-signature-nonce", base::hex(base::random_bytes(16))},
                           {"x-acs-version", "2022-04-19"}}};
    std::vector<wire::HeaderView> views;
    for (const auto& [name, value] : p.headers) views.push_back({name, value});
    const auto pairs = wire::query_pairs(query);
    p.headers.emplace_back("authorization",
                           wire::sign_v3(key, "LTAIsandboxAdmin001", wire::default_signed_headers(views), {.method = "GET", .query = pairs, .headers = views, .body = {}}));
    return p;
}

// Sends a second.
double drive(pipeline::Pipeline& pipeline, const std::vector<Prepared>& calls) {
    std::counting_semaphore<in_flight> free(in_flight);
    std::atomic<std::size_t> good{0};
    const auto start = base::monotonic_ns();
    for (const auto& call : calls) {
        free.acquire();
        std::vector<pipeline::Header> headers;
        for (const auto& [name, value] : call.headers) headers.push_back({name, value});
        const pipeline::Request request{.method = "GET", .target = call.target, .body = {}, .headers = headers, .source_address = "192.0.2.7", .tls = false};
        pipeline.handle(request, [&](const pipeline::Response& response) {
            if (response.status == 200) good.fetch_add(1);
            free.release();
        });
    }
    for (std::ptrdiff_t i = 0; i < in_flight; ++i) free.acquire();
    const double took = static_cast<double>(base::monotonic_ns() - start) / 1e9;
    if (good != calls.size()) throw std::runtime_error("a Send was refused");
    return static_cast<double>(calls.size()) / took;
}

void fill(db::Engine& engine, std::size_t count) {
    engine.write_and_wait([&](db::Transaction& tx) {
        for (std::size_t i = 0; i < count; ++i) {
            const auto id = member_id(i), name = fmt::format("m{}", i);
            store::insert_member(tx, {.directory_id = "rd-sandbx", .account_id = id, .folder_id = "r-sandbx", .account_name = name, .display_name = name, .payer_account_id = id});
            store::insert_account(tx, {.account_id = id,
                                       .account_name = name,
                                       .display_name = name,
                                       .email = {},
                                       .site = "international",
                                       .standing = std::string(store::standing_member),
                                       .directory_id = "rd-sandbx",
                                       .root_enabled = false});
        }
    });
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void run(const std::string& directory, std::size_t count, std::size_t rounds) {
    const auto ring = keys::Ring::create(directory + "/openrd.key");
    const base::Clock clock;
    const auto engine =
        db::open({.directory = directory, .create = true, .first_content = [&](db::Transaction& tx) { sandbox::seed(tx, ring, "bench.example/audit", clock.now_ms()); }});
    fill(*engine, count * rounds * 2);
    const wire::SigningKey key{base::Secret("sandbox-admin-secret")};
    std::vector<double> without, with, ratios;
    for (std::size_t n = 0; n < 2 * rounds; ++n) {
        const bool strict = n % 2 == 1;
        const auto settings = settings_of(strict);
        pipeline::Pipeline pipeline(*engine, ring, phone::Numbering::built_in(), clock, settings);
        std::vector<Prepared> calls;
        for (std::size_t i = 0; i < count; ++i) calls.push_back(prepare(key, n * count + i));
        (strict ? with : without).push_back(drive(pipeline, calls));
        if (strict) ratios.push_back(with.back() / without.back());
    }
    engine->close();
    fmt::print("{{\"documented_per_second\":{:.0f},\"strict_per_second\":{:.0f},\"ratio\":{:.3f}}}\n", median(without), median(with), median(ratios));
}

}  // namespace
}  // namespace openrd::bench

int main(int argc, char** argv) {
    try {
        if (argc != 4) throw std::runtime_error("usage: sends DIRECTORY COUNT ROUNDS");
        openrd::bench::run(argv[1], std::stoul(argv[2]), std::stoul(argv[3]));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sends: %s\n", error.what());
        return 1;
    }
}

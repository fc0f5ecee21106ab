// The load generator of ./dev bench. Everything is signed before the clock starts; the same loop drives openrd and its rival.
//   load fill DATA COUNT [FIRST]    members for a sandbox that is not running
//   load read ADDRESS MEMBERS CONNECTIONS SECONDS   signed GetAccount of random members
//   load list ADDRESS MEMBERS CONNECTIONS SECONDS   signed ListAccounts, pages of 20
//   load plain ADDRESS PATH CONNECTIONS SECONDS   GET of a static file
//   load bind ADDRESS DATA CONNECTIONS FROM COUNT   one Send each (not measured), then COUNT binds
//   load disk DIRECTORY SECONDS     4 KiB appends, each with fdatasync
// Prints one line of JSON.
#include "base/clock.hpp"
#include "base/identifiers.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "db/open.hpp"
#include "keys/ring.hpp"
#include "phone/mobile_number.hpp"
#include "store/accounts.hpp"
#include "store/members.hpp"
#include "store/outbox.hpp"
#include "store/verifications.hpp"
#include "wire/percent.hpp"
#include "wire/signature.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <random>
#include <stdexcept>
#include <thread>

namespace openrd::bench {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string signed_request(const wire::SigningKey& key, std::string_view host, std::string_view action, const Pairs& parameters) {
    std::string query;
    for (const auto& [name, value] : parameters) query += (query.empty() ? "" : "&") + wire::percent_encode(name) + "=" + wire::percent_encode(value);
    const std::string date = base::utc_seconds(base::real_now_ms()), nonce = base::hex(base::random_bytes(16)), hash = wire::sha256_hex("");
    const std::vector<wire::HeaderView> headers{{"host", host},       {"x-acs-action", action},         {"x-acs-content-sha256", hash},
                                                {"x-acs-date", date}, {"x-acs-signature-nonce", nonce}, {"x-acs-version", "2022-04-19"}};
    const auto pairs = wire::query_pairs(query);
    const auto authorization = wire::sign_v3(key, "LTAIsandboxAdmin001", wire::default_signed_headers(headers), {.method = "GET", .query = pairs, .headers = headers, .body = {}});
    std::string text = "GET /?" + query + " HTTP/1.1\r\n";
    for (const auto& h : headers) text += fmt::format("{}: {}\r\n", h.name, h.value);
    return text + "authorization: " + authorization + "\r\n\r\n";
}

struct Result {
    std::size_t good = 0, bad = 0;
    double seconds = 0;
    std::vector<double> latencies_ms;
    double percentile(double p) {
        if (latencies_ms.empty()) return 0;
        std::ranges::sort(latencies_ms);
        return latencies_ms[std::min(latencies_ms.size() - 1, static_cast<std::size_t>(p * static_cast<double>(latencies_ms.size())))];
    }
};

struct Connection {
    int fd = -1;
    const std::string* request = nullptr;
    std::size_t sent = 0;
    std::string answer;
    std::int64_t begun_ns = 0;
};

int connect_to(const std::string& address) {
    const auto colon = address.rfind(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error("cannot connect to " + address);
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

// The size of the answer at the front of the buffer, or 0 while it is not whole.
std::size_t whole(const std::string& answer) {
    const auto end = answer.find("\r\n\r\n");
    if (end == answer.npos) return 0;
    for (const char* name : {"content-length: ", "Content-Length: "})
        if (const auto at = answer.find(name); at < end) {
            std::size_t length = 0;
            const char* from = answer.data() + at + std::strlen(name);
            std::from_chars(from, answer.data() + end, length);
            return answer.size() >= end + 4 + length ? end + 4 + length : 0;
        }
    throw std::runtime_error("an answer without a length");
}

// Sends the requests over so many connections, one in flight on each, until they or the time are used up.
Result drive(const std::string& address, const std::vector<std::string>& requests, std::size_t connections, double seconds, bool repeat) {
    std::vector<Connection> all(connections);
    const int loop = epoll_create1(EPOLL_CLOEXEC);
    std::size_t next = 0, open = 0;
    Result result;
    result.latencies_ms.reserve(1 << 20);
    const auto begin = [&](Connection& c) {
        if (next == requests.size() && repeat) next = 0;
        if (next == requests.size()) return false;
        c.request = &requests[next++];
        c.sent = 0;
        c.begun_ns = base::monotonic_ns();
        const auto n = ::send(c.fd, c.request->data(), c.request->size(), MSG_NOSIGNAL);
        c.sent = n > 0 ? static_cast<std::size_t>(n) : 0;
        return true;
    };
    for (auto& c : all) {
        c.fd = connect_to(address);
        epoll_event event{.events = EPOLLIN, .data = {.ptr = &c}};
        epoll_ctl(loop, EPOLL_CTL_ADD, c.fd, &event);
    }
    const auto start = base::monotonic_ns(), stop = start + static_cast<std::int64_t>(seconds * 1e9);
    for (auto& c : all) open += begin(c);
    char buffer[65536];
    while (open > 0) {
        epoll_event events[64];
        const int n = epoll_wait(loop, events, 64, 5000);
        if (n <= 0) throw std::runtime_error("no answer within five seconds");
        for (int i = 0; i < n; ++i) {
            auto& c = *static_cast<Connection*>(events[i].data.ptr);
            const auto got = ::recv(c.fd, buffer, sizeof buffer, 0);
            if (got <= 0) throw std::runtime_error("the connection was closed");
            c.answer.append(buffer, static_cast<std::size_t>(got));
            const auto size = whole(c.answer);
            if (size == 0) continue;
            ++(c.answer.compare(9, 3, "200") == 0 ? result.good : result.bad);
            const auto now = base::monotonic_ns();
            result.latencies_ms.push_back(static_cast<double>(now - c.begun_ns) / 1e6);
            c.answer.erase(0, size);
            if (now >= stop || !begin(c)) --open;
        }
    }
    result.seconds = static_cast<double>(base::monotonic_ns() - start) / 1e9;
    for (auto& c : all) ::close(c.fd);
    ::close(loop);
    return result;
}

void print(Result& r) {
    fmt::print("{{\"good\":{},\"bad\":{},\"seconds\":{:.3f},\"per_second\":{:.1f},\"p50_ms\":{:.3f},\"p99_ms\":{:.3f}}}\n", r.good, r.bad, r.seconds,
               static_cast<double>(r.good) / r.seconds, r.percentile(0.50), r.percentile(0.99));
}

std::string member_id(std::size_t i) { return fmt::format("17{:014}", i); }
constexpr std::size_t fill_batch = 2000;

// The server's database: a file in DATA, or what OPENRD_LOAD_DATABASE names.
std::unique_ptr<db::Engine> open_data(const std::string& data) {
    const char* url = std::getenv("OPENRD_LOAD_DATABASE");
    return db::open({.directory = data, .url = url ? url : "", .first_content = {}});
}

void fill(const std::string& data, std::size_t count, std::size_t first) {
    auto engine = open_data(data);
    const auto now = base::real_now_ms();
    for (std::size_t from = first; from < count; from += fill_batch)
        engine->write_and_wait([&](db::Transaction& tx) {
            for (std::size_t i = from; i < std::min(count, from + fill_batch); ++i) {
                const auto id = member_id(i);
                store::insert_member(tx, {.directory_id = "rd-sandbx",
                                          .account_id = id,
                                          .folder_id = "r-sandbx",
                                          .account_name = "m" + std::to_string(i) + "@rd-sandbx.aliyunid.com",
                                          .display_name = "member " + std::to_string(i),
                                          .joined_at_ms = now,
                                          .modified_at_ms = now,
                                          .payer_account_id = id});
                store::insert_account(tx, {.account_id = id,
                                           .account_name = "m" + std::to_string(i) + "@rd-sandbx.aliyunid.com",
                                           .display_name = "member",
                                           .email = "m@example",
                                           .site = "international",
                                           .standing = std::string(store::standing_member),
                                           .directory_id = "rd-sandbx",
                                           .root_enabled = false,
                                           .created_at_ms = now});
            }
        });
    engine->close();
    fmt::print("{{\"members\":{}}}\n", count);
}

// `action`: GetAccount of random members, or ListAccounts of 20.
void read(const std::string& address, std::string_view action, std::size_t members, std::size_t connections, double seconds) {
    const wire::SigningKey key{base::Secret("sandbox-admin-secret")};
    std::mt19937_64 dice(42);
    std::vector<std::string> requests;
    const auto wanted = static_cast<std::size_t>(seconds * 60'000);
    for (std::size_t i = 0; i < wanted; ++i)
        requests.push_back(action == "GetAccount" ? signed_request(key, address, action, {{"AccountId", member_id(dice() % members)}})
                                                  : signed_request(key, address, action, {{"MaxResults", "20"}}));
    auto result = drive(address, requests, connections, seconds, false);
    print(result);
}

void plain(const std::string& address, const std::string& path, std::size_t connections, double seconds) {
    // As long as a signed request, so that both sides read as much.
    const std::vector<std::string> requests(1, "GET " + path + " HTTP/1.1\r\nHost: " + address + "\r\nX-Padding: " + std::string(520, 'x') + "\r\n\r\n");
    auto result = drive(address, requests, connections, seconds, true);
    print(result);
}

void bind(const std::string& address, const std::string& data, std::size_t connections, std::size_t from, std::size_t count) {
    const wire::SigningKey key{base::Secret("sandbox-admin-secret")};
    const auto phone_of = [](std::size_t i) { return fmt::format("65-8{:07}", 1'000'000 + i); };
    std::vector<std::string> sends, binds;
    for (std::size_t i = from; i < from + count; ++i)
        sends.push_back(signed_request(key, address, "SendVerificationCodeForBindSecureMobilePhone", {{"AccountId", member_id(i)}, {"SecureMobilePhone", phone_of(i)}}));
    auto sent = drive(address, sends, connections, 600, false);
    if (sent.bad != 0) throw std::runtime_error("a Send was refused");
    {
        const auto ring = keys::Ring::load(data + "/openrd.key");
        auto engine = open_data(data);
        // Their delivery is not what is measured.
        for (int looks = 0; looks < 1200; ++looks) {
            std::int64_t waiting = 0;
            engine->read([&](db::Transaction& tx) { waiting = store::count_messages(tx, store::message_queued) + store::count_messages(tx, store::message_sending); });
            engine->idle();
            if (waiting == 0) break;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        engine->read([&](db::Transaction& tx) {
            for (std::size_t i = from; i < from + count; ++i) {
                const auto v = store::find_verification(tx, member_id(i), store::purpose_bind);
                const auto number = phone::MobileNumber::parse(phone_of(i));
                if (!v || !number) throw std::runtime_error("no code under way");
                const auto code = ring.code(v->verification_id, v->account_id, store::purpose_bind, number->reveal_e164(), static_cast<std::uint32_t>(v->code_key_id));
                binds.push_back(signed_request(key, address, "BindSecureMobilePhone",
                                               {{"AccountId", v->account_id}, {"SecureMobilePhone", phone_of(i)}, {"VerificationCode", std::string(code.reveal())}}));
            }
        });
        engine->close();
    }
    auto result = drive(address, binds, connections, 600, false);
    print(result);
}

void disk(const std::string& directory, double seconds) {
    const auto path = directory + "/fdatasync.tmp";
    const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) throw std::runtime_error("cannot write to " + directory);
    const std::string page(4096, 'x');
    std::size_t n = 0;
    const auto start = base::monotonic_ns();
    while (static_cast<double>(base::monotonic_ns() - start) < seconds * 1e9) {
        if (::write(fd, page.data(), page.size()) != static_cast<ssize_t>(page.size()) || ::fdatasync(fd) != 0) throw std::runtime_error("the disk failed");
        ++n;
    }
    const double took = static_cast<double>(base::monotonic_ns() - start) / 1e9;
    ::close(fd);
    ::unlink(path.c_str());
    fmt::print("{{\"per_second\":{:.1f}}}\n", static_cast<double>(n) / took);
}

int run(const std::vector<std::string>& a) {
    const auto is = [&](const char* what, std::size_t arguments) { return !a.empty() && a[0] == what && a.size() == arguments + 1; };
    if (is("fill", 2)) fill(a[1], std::stoul(a[2]), 0);
    else if (is("fill", 3)) fill(a[1], std::stoul(a[2]), std::stoul(a[3]));
    else if (is("read", 4)) read(a[1], "GetAccount", std::stoul(a[2]), std::stoul(a[3]), std::stod(a[4]));
    else if (is("list", 4)) read(a[1], "ListAccounts", std::stoul(a[2]), std::stoul(a[3]), std::stod(a[4]));
    else if (is("plain", 4)) plain(a[1], a[2], std::stoul(a[3]), std::stod(a[4]));
    else if (is("bind", 5)) bind(a[1], a[2], std::stoul(a[3]), std::stoul(a[4]), std::stoul(a[5]));
    else if (is("disk", 2)) disk(a[1], std::stod(a[2]));
    else {
        fmt::print(
            stderr,
            "usage: load fill DATA COUNT [FIRST] | read ADDRESS MEMBERS CONNECTIONS SECONDS | plain ADDRESS PATH CONNECTIONS SECONDS | bind ADDRESS DATA CONNECTIONS FROM COUNT | "
            "disk DIR SECONDS\n");
        return 2;
    }
    return 0;
}

}  // namespace
}  // namespace openrd::bench

int main(int argc, char** argv) {
    try {
        return openrd::bench::run({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "load: %s\n", error.what());
        return 1;
    }
}

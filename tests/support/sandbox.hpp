#pragma once
// A whole openrd inside a test, without a listener: database in a temporary directory, seed, pipeline. Calls are signed as a
// client signs them.
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "db/engine.hpp"
#include "keys/ring.hpp"
#include "pipeline/pipeline.hpp"

#include <boost/json.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace openrd::tests {

class PostgresDatabase;

using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Key {
    std::string id, secret, token;
};
// The seed's (sandbox.md 2).
inline const Key root_key{"LTAIsandboxRoot0001", "sandbox-root-secret", ""};
inline const Key admin_key{"LTAIsandboxAdmin001", "sandbox-admin-secret", ""};
inline const Key reader_key{"LTAIsandboxReader01", "sandbox-reader-secret", ""};
inline const Key nobody_key{"LTAIsandboxNobody01", "sandbox-nobody-secret", ""};
inline const Key member_key{"LTAIsandboxMember01", "sandbox-member-secret", ""};
inline const Key joined_key{"LTAIsandboxJoined01", "sandbox-joined-secret", ""};
inline const Key outside_key{"LTAIsandboxOutside1", "sandbox-outside-secret", ""};
inline const Key other_key{"LTAIsandboxOther001", "sandbox-other-secret", ""};
inline const Key unverified_key{"LTAIsandboxUnverif1", "sandbox-unverified-secret", ""};
inline const Key nameless_key{"LTAIsandboxNameles1", "sandbox-nameless-secret", ""};

inline const std::string management_id = "1000000000000001", blue_id = "1000000000000002", red_id = "1000000000000003", joined_id = "1000000000000004",
                         outside_id = "1000000000000009", other_id = "1000000000000011", other_member_id = "1000000000000012", unverified_member_id = "1000000000000022",
                         nameless_member_id = "1000000000000032";
inline const std::string good_phone = "65-81234567", second_phone = "65-81234568";

enum class Scheme { v1_get, v1_post, v1_sha256, v3 };

struct How {
    Key key = admin_key;
    std::string version = "2022-04-19";
    Scheme scheme = Scheme::v3;
    std::string format = "JSON";  // empty: none sent
    std::string nonce = {};       // empty: a new one
};

struct Answer {
    int status = 0;
    std::string content_type, body, request_id;
    std::vector<std::pair<std::string, std::string>> headers;

    boost::json::value json() const { return boost::json::parse(body); }
    std::string text(std::string_view pointer) const;  // of the JSON body: "/Account/AccountId"; empty when it is not there
    std::string code() const { return text("/Code"); }
    std::string message() const { return text("/Message"); }
};
std::ostream& operator<<(std::ostream&, const Answer&);

// A request as a client would send it.
struct Wire {
    std::string method, target, body;
    std::vector<std::pair<std::string, std::string>> headers;
};

// A PostgreSQL database that other servers may use as well.
struct SharedPlace {
    std::string url;
    std::filesystem::path key_file;  // theirs as well: made by whoever comes first
    std::uint32_t connections = 8;
    std::int64_t deadline_ms = 10'000;
};

// On SQLite, or on a PostgreSQL of the test process's own when OPENRD_TEST_ENGINE is "postgres".
class Sandbox {
  public:
    static base::Settings open_settings();
    explicit Sandbox(base::Settings settings = open_settings());
    explicit Sandbox(SharedPlace place, base::Settings settings = open_settings());
    ~Sandbox();

    Answer call(std::string_view action, const Parameters& parameters = {}, const How& how = {});
    // Signed but not sent.
    Wire sign(std::string_view action, const Parameters& parameters, const How& how) const;
    Answer send(const Wire& wire);
    // `done` may be called on any thread; the wire must live until then.
    void send(const Wire& wire, std::function<void(Answer)> done);

    Answer send_code(const std::string& account_id = blue_id, const std::string& phone = good_phone, const How& how = {});
    Answer bind(const std::string& account_id, const std::string& phone, const std::string& code, const How& how = {});
    // The code that the account's pending verification has for that phone.
    std::string code_of(const std::string& account_id = blue_id, const std::string& phone = good_phone);
    static std::string wrong(const std::string& code) { return std::string(1, static_cast<char>('0' + (code[0] - '0' + 1) % 10)) + code.substr(1); }

    // The bodies of an account's audit events, oldest first.
    std::vector<boost::json::object> events(const std::string& account_id = management_id);
    // Every row of every table, as text, in some fixed order: to see that nothing changed, or that a secret is nowhere.
    std::string everything();
    std::int64_t count(const char* table_and_condition);

    db::Engine& engine() { return *engine_; }
    const keys::Ring& ring() const { return *ring_; }
    keys::Ring& ring() { return *ring_; }
    base::Clock& clock() { return clock_; }
    base::Settings& settings() { return settings_; }
    pipeline::Pipeline& pipeline() { return *pipeline_; }
    const std::filesystem::path& directory() const { return directory_; }
    // For a command that works beside it.
    std::string database_url() const;
    // Closes everything and opens it again, as a restart does.
    void restart();

  private:
    void open();
    void close();
    std::filesystem::path directory_;
    std::unique_ptr<PostgresDatabase> database_;  // with OPENRD_TEST_ENGINE=postgres; otherwise a file in the directory
    SharedPlace place_;
    base::Settings settings_;
    base::Clock clock_;
    std::unique_ptr<keys::Ring> ring_;
    std::unique_ptr<db::Engine> engine_;
    std::unique_ptr<pipeline::Pipeline> pipeline_;
};

}  // namespace openrd::tests

#include "openrd/call.hpp"

#include "api/registry.hpp"
#include "base/clock.hpp"
#include "base/identifiers.hpp"
#include "openrd/failure.hpp"
#include "sandbox/seed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

namespace openrd {
namespace {

constexpr const char* help =
    "usage: openrd call Action [--version V] [--Name value]... [--endpoint URL] [--profile P] [--format json|xml]\n"
    "                   [--signature v1|v3] [--method POST|GET]\n\n"
    "Signs one call and prints its answer; exits 1 when the API refuses it. --Name value is a parameter of the API.\n"
    "Reads OPENRD_ENDPOINT, ALIBABA_CLOUD_ACCESS_KEY_ID, ALIBABA_CLOUD_ACCESS_KEY_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN and the\n"
    "profiles of ~/.aliyun/config.json. With none of them: the sandbox on http://127.0.0.1:8080, as its admin.\n";
constexpr std::string_view sandbox_endpoint = "http://127.0.0.1:8080";

struct Word {
    std::string name;  // without its dashes
    std::string value;
};

class Words {
  public:
    explicit Words(const std::vector<std::string>& words) : words_(words) {}
    bool more() const { return at_ < words_.size(); }
    const std::string& peek() const { return words_[at_]; }
    const std::string& take() { return words_[at_++]; }

    // --Name=value, or --Name value: whatever the value begins with.
    Word take_pair() {
        const std::string word = take().substr(2);
        const auto equals = word.find('=');
        if (equals != word.npos) return {word.substr(0, equals), word.substr(equals + 1)};
        if (!more()) throw Failure(fmt::format("--{} has no value", word));
        return {word, take()};
    }

  private:
    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
};

std::string one_of(const Word& word, std::initializer_list<std::string_view> values) {
    if (std::ranges::find(values, word.value) == values.end()) throw Failure(fmt::format("--{} {}: it is one of {}", word.name, word.value, fmt::join(values, ", ")));
    return word.value;
}

void set_option(CallOptions& options, const Word& word) {
    if (word.name == "version") options.version = word.value;
    else if (word.name == "endpoint") options.endpoint = word.value;
    else if (word.name == "profile") options.profile = word.value;
    else if (word.name == "format") options.format = one_of(word, {"json", "xml"});
    else if (word.name == "method") options.method = one_of(word, {"POST", "GET"});
    else if (word.name == "signature") options.signature = one_of(word, {"v1", "v3"}) == "v1" ? SignatureVersion::v1 : SignatureVersion::v3;
    else throw Failure(fmt::format("--{}: no such option (a parameter of the API begins with a capital letter)", word.name));
}

void add_parameter(CallOptions& options, Word word) {
    const bool well_formed = std::ranges::none_of(word.name, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '&' || c == '\x7f'; });
    if (!well_formed) throw Failure("a parameter's name holds no spaces and no '&'");
    if (std::ranges::find(options.parameters, word.name, &std::pair<std::string, std::string>::first) != options.parameters.end())
        throw Failure(fmt::format("--{} stands twice", word.name));
    options.parameters.emplace_back(std::move(word.name), std::move(word.value));
}

}  // namespace

CallOptions parse_call(const std::vector<std::string>& given) {
    CallOptions options;
    Words words(given);
    while (words.more()) {
        if (words.peek() == "--help" || words.peek() == "-h") {
            options.help = true;
            return options;
        }
        if (!words.peek().starts_with("--")) {
            if (!options.action.empty()) throw Failure(fmt::format("{}: there is an action already, {}", words.peek(), options.action));
            options.action = words.take();
            continue;
        }
        auto word = words.take_pair();
        if (word.name.empty()) throw Failure("-- is no parameter");
        if (word.name.front() >= 'a' && word.name.front() <= 'z') set_option(options, word);
        else add_parameter(options, std::move(word));
    }
    if (options.action.empty()) throw Failure("which action? Such as: openrd call GetCallerIdentity");
    return options;
}

std::string default_version(std::string_view action) {
    for (const auto version : {api::master_2022, api::manager_2020, api::sts_2015, api::ram_2015, api::trail_2020})
        if (!api::vendor_action(action, version).empty()) return std::string(api::facts_of(version).date);
    return std::string(api::facts_of(api::master_2022).date);
}

std::pair<Endpoint, Credentials> choose_target(const CallOptions& call, const Environment& environment) {
    std::optional<CliProfile> profile;
    const auto from_environment = call.profile.empty() ? environment_credentials(environment) : std::nullopt;
    if (!from_environment) {
        const auto config = read_cli_config(environment);
        if (!config && !call.profile.empty()) throw Failure("--profile: there is no ~/.aliyun/config.json");
        if (config) profile = profile_in(*config, call.profile);
    }
    auto text = call.endpoint;
    if (text.empty()) text = environment("OPENRD_ENDPOINT").value_or("");
    if (text.empty() && profile) text = profile->endpoint;
    if (text.empty()) text = sandbox_endpoint;
    const auto endpoint = parse_endpoint(text);
    if (!endpoint) throw Failure(fmt::format("{}: no endpoint such as http://127.0.0.1:8080", text));
    if (from_environment) return {*endpoint, *from_environment};
    if (profile) return {*endpoint, profile->credentials};
    if (!endpoint->loopback) throw Failure("no AccessKey pair: set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, or name a --profile");
    return {*endpoint, {.access_key_id = std::string(sandbox::admin_access_key_id), .secret = base::Secret(std::string(sandbox::admin_secret)), .security_token = {}}};
}

int call(const std::vector<std::string>& words) {
    auto options = parse_call(words);
    if (options.help) {
        std::fputs(help, stdout);
        return 0;
    }
    if (options.version.empty()) options.version = default_version(options.action);
    const auto [endpoint, credentials] = choose_target(options, process_environment);
    const auto answer = send(signed_request(options, endpoint, credentials, base::real_now_ms(), base::request_id()));
    std::fwrite(answer.body.data(), 1, answer.body.size(), stdout);
    if (!answer.body.ends_with('\n')) std::fputc('\n', stdout);
    return answer.status >= 200 && answer.status < 300 ? 0 : 1;
}

}  // namespace openrd

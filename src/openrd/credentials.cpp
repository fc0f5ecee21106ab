#include "openrd/credentials.hpp"

#include "openrd/failure.hpp"

#include <fmt/format.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace openrd {
namespace {

using boost::json::object;

std::string text_of(const object& from, std::string_view name) {
    const auto* value = from.if_contains({name.data(), name.size()});
    const auto* text = value ? value->if_string() : nullptr;
    return text ? std::string(text->data(), text->size()) : std::string();
}

const object* find_profile(const object& config, std::string_view name) {
    const auto* list = config.if_contains("profiles");
    const auto* profiles = list ? list->if_array() : nullptr;
    if (!profiles) return nullptr;
    for (const auto& value : *profiles)
        if (const auto* profile = value.if_object(); profile && text_of(*profile, "name") == name) return profile;
    return nullptr;
}

}  // namespace

std::optional<std::string> process_environment(const char* name) {
    const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): a command has one thread
    return value && *value ? std::optional<std::string>(value) : std::nullopt;
}

std::optional<Credentials> environment_credentials(const Environment& environment) {
    const auto id = environment("ALIBABA_CLOUD_ACCESS_KEY_ID");
    if (!id) return {};
    auto secret = environment("ALIBABA_CLOUD_ACCESS_KEY_SECRET");
    if (!secret) throw Failure("ALIBABA_CLOUD_ACCESS_KEY_ID is set and ALIBABA_CLOUD_ACCESS_KEY_SECRET is not");
    return Credentials{.access_key_id = *id, .secret = base::Secret(*std::move(secret)), .security_token = environment("ALIBABA_CLOUD_SECURITY_TOKEN").value_or("")};
}

std::optional<CliProfile> profile_in(std::string_view config_json, std::string_view name) {
    boost::json::error_code error;
    const auto json = boost::json::parse({config_json.data(), config_json.size()}, error);
    const auto* config = error ? nullptr : json.if_object();
    if (!config) throw Failure("~/.aliyun/config.json is not the configuration of the aliyun CLI");
    const bool named = !name.empty();
    const auto wanted = named ? std::string(name) : text_of(*config, "current");
    const auto* profile = find_profile(*config, wanted);
    if (!profile) {
        if (named) throw Failure(fmt::format("~/.aliyun/config.json has no profile \"{}\"", wanted));
        return {};
    }
    CliProfile found{.credentials = {.access_key_id = text_of(*profile, "access_key_id"),
                                     .secret = base::Secret(text_of(*profile, "access_key_secret")),
                                     .security_token = text_of(*profile, "sts_token")},
                     .endpoint = text_of(*profile, "endpoint")};
    const auto mode = text_of(*profile, "mode");
    const bool a_pair = (mode.empty() || mode == "AK" || mode == "StsToken") && !found.credentials.access_key_id.empty() && !found.credentials.secret.empty();
    if (mode == "AK") found.credentials.security_token.clear();
    if (a_pair) return found;
    if (named) throw Failure(fmt::format("the profile \"{}\" holds no AccessKey pair (mode \"{}\"): openrd call knows AK and StsToken", wanted, mode));
    return {};
}

std::optional<std::string> read_cli_config(const Environment& environment) {
    const auto home = environment("HOME");
    if (!home) return {};
    std::ifstream file(*home + "/.aliyun/config.json", std::ios::binary);
    if (!file) return {};
    std::ostringstream text;
    text << file.rdbuf();
    return std::move(text).str();
}

}  // namespace openrd

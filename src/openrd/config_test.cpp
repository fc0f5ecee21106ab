#include "openrd/config.hpp"

#include "openrd/config_document.hpp"
#include "openrd/settings.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace openrd {
namespace {

const std::string least = "[server]\nlisten = \"127.0.0.1:8080\"\n[database]\ndata = \"/var/lib/openrd\"\n[keys]\nfile = \"/etc/openrd/openrd.key\"\n";

class ConfigTest : public ::testing::Test {
  protected:
    ~ConfigTest() override { std::filesystem::remove(path_); }

    Config read(const std::string& text, mode_t mode = 0640) const {
        std::ofstream(path_, std::ios::trunc) << text;
        ::chmod(path_.c_str(), mode);
        return read_config(path_);
    }
    std::string why_refused(const std::string& text, mode_t mode = 0640) const {
        try {
            read(text, mode);
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.status(), 2);
            std::string line = failure.what();
            EXPECT_EQ(line.find('\n'), std::string::npos) << line;
            EXPECT_NE(line.find(path_), std::string::npos) << "names the file: " << line;
            return line.substr(line.find(path_) + path_.size());
        }
        return "taken";
    }
    std::string why_refused_with(const std::string& more) const { return why_refused(least + more); }

    std::string path_ = ::testing::TempDir() + "config_" + std::to_string(::getpid()) + ".toml";
};

TEST_F(ConfigTest, NeedsAPlaceToServeTheDataAndTheKeyFile) {
    const auto config = read(least);
    EXPECT_EQ(config.serve.listen->port, 8080);
    EXPECT_FALSE(config.serve.tls_listen);
    EXPECT_FALSE(config.serve.admin_listen);
    EXPECT_EQ(config.place.directory, "/var/lib/openrd");
    EXPECT_EQ(config.place.key_file, "/etc/openrd/openrd.key");
    EXPECT_FALSE(config.serve.settings.sandbox);
    EXPECT_FALSE(config.serve.settings.require_tls) << "on loopback";
    EXPECT_EQ(config.serve.settings.strict.per_phone_hour, 5u) << "the strict profile";
    EXPECT_NE(why_refused("").find("database.data"), std::string::npos);
    EXPECT_NE(why_refused("[database]\ndata = \"d\"\n").find("keys.file"), std::string::npos);
    EXPECT_NE(why_refused("[database]\ndata = \"d\"\n[keys]\nfile = \"k\"").find("server.listen"), std::string::npos);
}

TEST_F(ConfigTest, SetsEverySettingByItsDottedName) {
    for (const auto& setting : all_settings())
        if (setting.name != "sandbox") { EXPECT_TRUE(can_be_configured(setting.name)) << setting.name << ": add it to the table of config_values.cpp"; }
    const auto settings = read(R"(site = "china"
disabled_actions = ["bindsecuremobilephone"]
timestamp_window = "5m"
threads = 3
[server]
listen = "127.0.0.1:0"
trusted_proxies = ["10.0.0.0/8", "2001:db8::1"]
[database]
data = "d"
[keys]
file = "k"
[limits]
profile = "documented"
[http]
body = "64 KiB"
target = 2048
idle_time = "1500ms"
[codes]
lifetime = "5m"
[strict]
resend_interval = "2m"
per_phone_day = "none"
system_day = 7
countries = ["65", "852"]
[audit]
reads = true
origin = "log.example/audit"
)")
                              .serve.settings;
    EXPECT_EQ(settings.site, base::Site::china);
    EXPECT_EQ(settings.disabled_actions, std::vector<std::string>{"BindSecureMobilePhone"});
    EXPECT_EQ(settings.timestamp_window_ms, 5 * base::minute_ms);
    EXPECT_EQ(settings.threads, 3u);
    EXPECT_EQ(settings.trusted_proxies.size(), 2u);
    EXPECT_EQ(settings.http.body_bytes, 65536u);
    EXPECT_EQ(settings.http.target_bytes, 2048u);
    EXPECT_EQ(settings.http.idle_time_ms, 1500);
    EXPECT_EQ(settings.codes.lifetime_ms, 5 * base::minute_ms);
    EXPECT_EQ(settings.strict.resend_interval_ms, 2 * base::minute_ms);
    EXPECT_EQ(settings.strict.per_phone_day, 0u);
    EXPECT_EQ(settings.strict.system_day, 7u);
    EXPECT_EQ(settings.strict.countries, (std::vector<std::string>{"65", "852"}));
    EXPECT_EQ(settings.strict.per_phone_hour, 0u) << "the documented profile";
    EXPECT_TRUE(settings.audit.reads);
    EXPECT_EQ(settings.audit.origin, "log.example/audit");
}

TEST_F(ConfigTest, RefusesWhatItDoesNotUnderstandWithFileAndLine) {
    EXPECT_EQ(why_refused_with("[strict]\nper_fone_day = 3\n"), ":8: strict.per_fone_day: there is no such setting (docs/settings.md has all of them)");
    EXPECT_EQ(why_refused_with("[strikt]\n\nsystem_day = 3\n").substr(0, 3), ":9:");
    EXPECT_EQ(why_refused("sandbox = true\n" + least), ":1: sandbox: there is no such setting (docs/settings.md has all of them)");
    EXPECT_EQ(why_refused_with("x = \n").substr(0, 3), ":7:") << "does not parse";
    EXPECT_EQ(why_refused_with("[keys]\n").substr(0, 3), ":7:") << "a table twice";
    EXPECT_EQ(why_refused_with("[limits]\nprofile = \"lax\"\n"), ":8: limits.profile: it must be strict, documented or open");
}

TEST_F(ConfigTest, RefusesWrongTypes) {
    EXPECT_EQ(why_refused_with("[http]\nbody_time = 30\n"), ":8: http.body_time: it must be a duration such as \"10m\" (ms, s, m, h)");
    EXPECT_EQ(why_refused_with("[http]\nbody = \"64 kB\"\n"), ":8: http.body: it must be a number of bytes or a size such as \"64 KiB\"");
    EXPECT_EQ(why_refused_with("[codes]\nattempts = 3.5\n"), ":8: codes.attempts: it must be a whole number");
    EXPECT_EQ(why_refused_with("[codes]\nattempts = \"3\"\n"), ":8: codes.attempts: it must be a whole number");
    EXPECT_EQ(why_refused_with("[audit]\nreads = 1\n"), ":8: audit.reads: it must be true or false");
    EXPECT_EQ(why_refused_with("[strict]\ncountries = \"65\"\n"), ":8: strict.countries: it must be a list of texts");
    EXPECT_EQ(why_refused_with("[strict]\ncountries = [\"65\",\n \"Singapore\"]\n"), ":9: strict.countries: Singapore is not a calling code");
    EXPECT_EQ(why_refused("disabled_actions = [\"Fly\"]\n" + least), ":1: disabled_actions: there is no operation Fly");
    EXPECT_EQ(why_refused("server.trusted_proxies = [\"10.0.0.1/8\"]\nserver.listen = \"127.0.0.1:1\"\ndatabase.data = \"d\"\nkeys.file = \"k\""),
              ":1: server.trusted_proxies: 10.0.0.1/8 is not a network such as 10.0.0.0/8");
    EXPECT_EQ(why_refused("delivery = 3\n" + least), ":1: delivery: it must be a table");
}

TEST_F(ConfigTest, RefusesWhatIsOutOfItsRange) {
    EXPECT_EQ(why_refused_with("[codes]\nattempts = 6\n"), ":8: codes.attempts: it must be from 1 to 5") << "what protects a code is not loosened";
    EXPECT_EQ(why_refused_with("[codes]\nlifetime = \"11m\"\n"), ":8: codes.lifetime: it must be from 120s to 600s");
    EXPECT_EQ(why_refused_with("[strict]\nsystem_day = -1\n"), ":8: strict.system_day: it must be from 0 to 4294967295");
    EXPECT_EQ(why_refused_with("[http]\nbody_time = \"99999999999999999h\"\n").substr(0, 3), ":8:");
    EXPECT_EQ(why_refused_with("[codes]\nlifetime = \"2m\"\nrenew_below = \"3m\"\n"), ":9: codes.renew_below: it is longer than codes.lifetime");
}

TEST_F(ConfigTest, ServesNobodyInTheClearWhoIsNotBehindADeclaredProxy) {
    const auto with = [](const std::string& server) { return "[database]\ndata = \"d\"\n[keys]\nfile = \"k\"\n[server]\n" + server; };
    EXPECT_EQ(why_refused(with("listen = \"0.0.0.0:80\"\n")).substr(0, 28), ":6: server.listen: others co");
    EXPECT_EQ(why_refused(with("listen = \"[::]:80\"\nrequire_tls = false\n")).substr(0, 3), ":6:");
    const auto proxied = read(with("listen = \"10.0.0.5:80\"\ntrusted_proxies = [\"10.0.0.0/8\"]\n"));
    EXPECT_TRUE(proxied.serve.settings.require_tls) << "unless the file says otherwise";
    EXPECT_FALSE(read(with("listen = \"10.0.0.5:80\"\ntrusted_proxies = [\"10.0.0.0/8\"]\nrequire_tls = false\n")).serve.settings.require_tls);
    EXPECT_EQ(why_refused(with("listen = \"127.0.0.1:80\"\nrequire_tls = true\n")).substr(0, 3), ":7:") << "nobody could be served";
    EXPECT_EQ(read(with("tls_listen = \"0.0.0.0:443\"\ntls_cert = \"c\"\ntls_key = \"k\"\n")).serve.tls_listen->port, 443);
    EXPECT_EQ(why_refused(with("tls_listen = \"0.0.0.0:443\"\ntls_cert = \"c\"\n")), ":6: server.tls_listen: server.tls_listen, server.tls_cert and server.tls_key go together");
}

TEST_F(ConfigTest, KeepsTheAdminListenerOnLoopback) {
    EXPECT_EQ(read(least + "[admin]\nlisten = \"[::1]:9100\"\n").serve.admin_listen->port, 9100);
    EXPECT_EQ(why_refused_with("[admin]\nlisten = \"10.0.0.5:9100\"\n").substr(0, 17), ":8: admin.listen:");
    EXPECT_TRUE(read(least + "[admin]\nlisten = \"10.0.0.5:9100\"\nallow_remote = true\n").serve.admin_listen);
}

TEST_F(ConfigTest, ExpandsTheCredentialsDirectoryAndNothingElse) {
    const std::string text = "[server]\nlisten = \"127.0.0.1:1\"\n[database]\ndata = \"d\"\n[keys]\nfile = \"${CREDENTIALS_DIRECTORY}/openrd.key\"\n";
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_EQ(why_refused(text).substr(0, 50), ":6: keys.file: CREDENTIALS_DIRECTORY is not set: s");
    ::setenv("CREDENTIALS_DIRECTORY", "/run/credentials/openrd.service", 1);
    EXPECT_EQ(read(text).place.key_file, "/run/credentials/openrd.service/openrd.key");
    ::unsetenv("CREDENTIALS_DIRECTORY");
    EXPECT_NE(why_refused("[server]\nlisten = \"127.0.0.1:1\"\n[database]\ndata = \"d\"\n[keys]\nfile = \"${HOME}/k\"\n").find("only ${CREDENTIALS_DIRECTORY}"), std::string::npos);
}

TEST_F(ConfigTest, IsNotTrustedWhenOthersMayWriteItOrReadItsSecrets) {
    EXPECT_EQ(why_refused(least, 0666), ": others may write it (chmod o-w)");
    EXPECT_NO_THROW(read(least, 0644)) << "it holds no secret";
    const std::string url = "[server]\nlisten = \"127.0.0.1:1\"\n[keys]\nfile = \"k\"\n[database]\nurl = \"postgresql://openrd:hush@db/openrd\"\n";
    EXPECT_EQ(why_refused(url, 0644), ":6: database.url: it holds a password, and others may read the file (chmod o-r)");
    EXPECT_EQ(read(url, 0640).place.url, "postgresql://openrd:hush@db/openrd");
    const std::string channel = "[[delivery.channel]]\nkind = \"twilio\"\nauth_token = \"hush\"\n";
    EXPECT_EQ(why_refused(least + channel, 0644), ":9: delivery: it holds a secret, and others may read the file (chmod o-r)");
    EXPECT_NO_THROW(read(least + channel, 0600));
    EXPECT_NO_THROW(read(least + "[[delivery.channel]]\nkind = \"twilio\"\nauth_token_file = \"f\"\n", 0644));
    EXPECT_EQ(why_refused(least + channel, 0644).find("hush"), std::string::npos);
}

TEST_F(ConfigTest, SendsToNoCountryThatIsNotNamed) {
    const auto strict = read(least).serve.settings.strict;
    EXPECT_TRUE(strict.countries_by_list);
    EXPECT_TRUE(strict.countries.empty());
}

TEST_F(ConfigTest, HasNoInboxInProduction) { EXPECT_EQ(why_refused_with("[[delivery.channel]]\nkind = \"inbox\"\n").substr(0, 34), ":8: delivery.channel: the inbox is"); }

TEST_F(ConfigTest, LeavesTheTablesOfDeliveryToIt) {
    const auto config = read(least + "[[delivery.channel]]\nkind = \"webhook\"\nurl = \"https://hook.example/\"\n");
    const auto* channels = config.serve.document->root["delivery"]["channel"].as_array();
    ASSERT_TRUE(channels);
    EXPECT_EQ((*channels)[0].as_table()->get("kind")->value<std::string>(), "webhook");
}

TEST_F(ConfigTest, MustBeAFile) {
    EXPECT_THROW(read_config("/nowhere/openrd.toml"), Failure);
    EXPECT_THROW(read_config("/tmp"), Failure);
}

}  // namespace
}  // namespace openrd

#include "openrd/delivery_config.hpp"

#include "delivery/channels.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace openrd {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

base::DeliverySettings read(std::string_view text) { return read_delivery(*toml::parse(text)["delivery"].as_table(), "openrd.toml"); }

std::string refusal(std::string_view text) {
    try {
        read(text);
        return "";
    } catch (const Failure& failure) { return failure.what(); }
}

class SecretFile {
  public:
    explicit SecretFile(std::string_view text, std::filesystem::perms perms = std::filesystem::perms::owner_read)
        : path_((std::filesystem::temp_directory_path() / ("openrd-secret-" + std::to_string(::getpid()))).string()) {
        std::filesystem::remove(path_);
        std::ofstream(path_) << text;
        std::filesystem::permissions(path_, perms);
    }
    SecretFile(const SecretFile&) = delete;
    SecretFile& operator=(const SecretFile&) = delete;
    ~SecretFile() { std::filesystem::remove(path_); }
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

TEST(DeliveryConfig, ReadsChannelsRoutesAndTexts) {
    const SecretFile file("auth-token\n");
    const auto settings = read(R"(
[delivery]
origin = "rd.example.com"
chinese = ["86"]
[delivery.texts.bind-secure-phone]
en = "ACME: {code}"
zh = "【某公司】{code}"
[[delivery.channel]]
kind = "kannel"
url = "http://127.0.0.1:13013/cgi-bin/sendsms"
user = "otp"
secret = "hush"
countries = ["65", "852"]
receipts_url = "http://127.0.0.1:8080"
timeout = "5s"
[[delivery.channel]]
kind = "twilio"
name = "twilio-eu"
user = "AC1"
service = "MG1"
secret_file = ")" + file.path() +
                               R"("
[[delivery.route]]
countries = ["65"]
channels = ["kannel", "twilio-eu"]
)");
    EXPECT_EQ(settings.texts.origin, "rd.example.com");
    EXPECT_THAT(settings.texts.chinese, ElementsAre("86"));
    EXPECT_EQ(settings.texts.templates.at("bind-secure-phone.en"), "ACME: {code}");
    EXPECT_EQ(settings.texts.templates.at("bind-secure-phone.zh"), "【某公司】{code}");
    ASSERT_EQ(settings.channels.size(), 2u);
    EXPECT_EQ(settings.channels[0].name, "kannel") << "its kind, unless it says otherwise";
    EXPECT_TRUE(settings.channels[0].secret.same_as("hush"));
    EXPECT_THAT(settings.channels[0].countries, ElementsAre("65", "852"));
    EXPECT_EQ(settings.channels[0].timeout_ms, 5'000);
    EXPECT_EQ(settings.channels[1].name, "twilio-eu");
    EXPECT_TRUE(settings.channels[1].secret.same_as("auth-token")) << "without the end of the line";
    ASSERT_EQ(settings.routes.size(), 1u);
    const keys::Ring ring{base::Secret(std::string(32, 'k'))};
    const delivery::Channels channels(settings, ring);
    const auto road = channels.router.channels_for(*phone::MobileNumber::parse("65-81234567"));
    ASSERT_EQ(road.size(), 2u);
    EXPECT_EQ(road[0]->name(), "kannel");
    EXPECT_EQ(road[1]->name(), "twilio-eu");
    EXPECT_EQ(channels.router.channels_for(*phone::MobileNumber::parse("44-7400123456")).size(), 1u);
}

TEST(DeliveryConfig, SaysWhatItDoesNotUnderstandAndWhere) {
    EXPECT_EQ(refusal("[delivery]\ncolour = 1"), "openrd.toml:2: delivery.colour is not known");
    EXPECT_EQ(refusal("[delivery]\norigin = 1"), "openrd.toml:2: delivery.origin must be a text");
    EXPECT_EQ(refusal("[delivery]\nchinese = \"86\""), "openrd.toml:2: delivery.chinese must be a list of texts");
    EXPECT_EQ(refusal("[delivery]\nchannel = 1"), "openrd.toml:2: delivery.channel must be written [[delivery.channel]]");
    EXPECT_EQ(refusal("[[delivery.channel]]\nname = \"a\""), "openrd.toml:1: delivery.channel: kind is missing");
    for (const auto* kind : {"inbox", "pigeon", "", "kannel alibaba"})
        EXPECT_EQ(refusal(std::string("[[delivery.channel]]\nkind = \"") + kind + "\""), "openrd.toml:2: delivery.channel: kind is kannel, alibaba, twilio, webhook or smtp")
            << kind;
    EXPECT_EQ(refusal("[[delivery.channel]]\nkind = \"twilio\"\nsmsc = \"a\""), "openrd.toml:3: delivery.channel: smsc is not used by twilio");
    EXPECT_EQ(refusal("[[delivery.channel]]\nkind = \"twilio\"\nloopback = true"), "openrd.toml:3: delivery.channel: loopback is not known") << "for tests alone";
    EXPECT_EQ(refusal("[[delivery.channel]]\nkind = \"twilio\"\ntimeout = \"soon\""), "openrd.toml:3: delivery.channel: timeout is a time like 10s");
    EXPECT_EQ(refusal("[[delivery.route]]\nwhere = \"65\""), "openrd.toml:2: delivery.route: where is not known");
    EXPECT_EQ(refusal("[delivery.texts]\nplain = \"{code}\""), "openrd.toml:2: delivery.texts.plain must be a table of languages");
}

TEST(DeliveryConfig, ReadsHowManyAreCarriedAtOnceAndHowLongTheyAreKept) {
    EXPECT_EQ(read("[delivery]").workers, 2u);
    EXPECT_EQ(read("[delivery]").keep_ms, 30 * base::day_ms);
    const auto settings = read("[delivery]\nworkers = 16\nkeep = \"48h\"");
    EXPECT_EQ(settings.workers, 16u);
    EXPECT_EQ(settings.keep_ms, 2 * base::day_ms);
    EXPECT_EQ(read("[delivery]\nkeep = \"none\"").keep_ms, 0);
    for (const auto* workers : {"0", "-1", "257", "\"2\"", "2.5"})
        EXPECT_EQ(refusal(std::string("[delivery]\nworkers = ") + workers), "openrd.toml:2: delivery.workers must be a whole number from 1 to 256") << workers;
    EXPECT_EQ(refusal("[delivery]\nkeep = \"1h\""), "openrd.toml:2: delivery.keep must be at least 24h, or none to keep all");
    EXPECT_EQ(refusal("[delivery]\nkeep = 30"), "openrd.toml:2: delivery.keep must be a text");
}

TEST(DeliveryConfig, BoundsTheRiskProbe) {
    const auto risk = [](const std::string& more) { return refusal("[delivery.risk]\nurl = \"https://risk.example/\"\n" + more); };
    EXPECT_EQ(risk("secret = \"whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz\"\ntimeout = \"5s\"\nyoungest = \"24h\""), "");
    EXPECT_EQ(risk("timeout = \"6s\""), "openrd.toml:3: delivery.risk.timeout is out of its range: from 0.1 to 5 s");
    EXPECT_EQ(risk("timeout = \"0s\""), "openrd.toml:3: delivery.risk.timeout is out of its range: from 0.1 to 5 s");
    EXPECT_THAT(risk("youngest = \"1s\""), HasSubstr("delivery.risk.youngest is out of its range"));
    const SecretFile file("hush\n");
    EXPECT_EQ(risk("secret = \"a\"\nsecret_file = \"" + file.path() + "\""), "openrd.toml:4: delivery.risk: secret and secret_file are one too many");
    EXPECT_EQ(risk("secret = \"\""), "openrd.toml:3: delivery.risk.secret is empty");
}

TEST(DeliveryConfig, ReadsNoSecretThatOthersMayRead) {
    const auto channel = [](const std::string& path) { return "[[delivery.channel]]\nkind = \"twilio\"\nsecret_file = \"" + path + "\""; };
    {
        const SecretFile open("hush\n", std::filesystem::perms::owner_read | std::filesystem::perms::others_read);
        EXPECT_THAT(refusal(channel(open.path())), HasSubstr("others may read it"));
    }
    const SecretFile empty("");
    EXPECT_THAT(refusal(channel(empty.path())), HasSubstr("cannot be read"));
    EXPECT_THAT(refusal(channel("/nowhere/secret")), HasSubstr("cannot be read"));
    EXPECT_EQ(refusal("[[delivery.channel]]\nkind = \"twilio\"\nsecret = \"\""), "openrd.toml:3: delivery.channel: secret is empty");
}

}  // namespace
}  // namespace openrd

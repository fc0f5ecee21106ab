#include "openrd/failure.hpp"
#include "openrd/serve.hpp"

#include <gtest/gtest.h>

namespace openrd {
namespace {

ServeWords sandbox() { return {.sandbox = true}; }

void expect_refused(const ServeWords& words, const std::string& word) {
    try {
        serve_options(words);
        ADD_FAILURE() << "taken: " << word;
    } catch (const Failure& failure) {
        EXPECT_EQ(failure.status(), 2);
        EXPECT_NE(std::string(failure.what()).find(word), std::string::npos) << failure.what();
        EXPECT_EQ(std::string(failure.what()).find('\n'), std::string::npos) << "one line";
    }
}

TEST(ServeOptions, AreASandboxOnLoopbackByDefault) {
    const auto options = serve_options(sandbox());
    EXPECT_EQ(options.listen->address, "127.0.0.1");
    EXPECT_EQ(options.listen->port, 8080);
    EXPECT_EQ(options.data_directory, "./openrd-data");
    EXPECT_TRUE(options.settings.sandbox);
    EXPECT_EQ(options.settings.site, base::Site::international);
    EXPECT_EQ(options.settings.quotas.members, 0u) << "the open profile";
    EXPECT_FALSE(options.memory);
}

TEST(ServeOptions, SayWhatToServe) {
    expect_refused({}, "--sandbox");
    expect_refused({.sandbox = true, .config = "/etc/openrd/openrd.toml"}, "--config");
}

TEST(ServeOptions, NeedTwoWordsToListenForOthers) {
    auto words = sandbox();
    for (const char* address : {"0.0.0.0:8080", "[::]:8080", "10.0.0.1:80"}) {
        words.listen = address;
        words.allow_remote = false;
        expect_refused(words, "--allow-remote");
        words.allow_remote = true;
        EXPECT_TRUE(serve_options(words).allow_remote);
    }
}

TEST(ServeOptions, RefuseWhatMakesNoSense) {
    const auto refuse = [](auto change, const char* word) {
        auto words = sandbox();
        change(words);
        expect_refused(words, word);
    };
    refuse([](ServeWords& w) { w.listen = "nowhere"; }, "--listen");
    refuse([](ServeWords& w) { w.site = "moon"; }, "--site");
    refuse([](ServeWords& w) { w.limits = "none"; }, "--limits");
    refuse([](ServeWords& w) { w.log_level = "loud"; }, "--log-level");
    refuse([](ServeWords& w) { w.threads = 1000; }, "--threads");
    refuse([](ServeWords& w) { w.disabled_actions = {"NoSuchAction"}; }, "NoSuchAction");
    refuse([](ServeWords& w) { w.memory = true, w.data = "d"; }, "--memory");
}

TEST(ServeOptions, TakeWhatIsSaid) {
    auto words = sandbox();
    words.site = "china";
    words.limits = "strict";
    words.disabled_actions = {"bindsecuremobilephone", "GetCallerIdentity"};
    words.audit_reads = true;
    words.threads = 3;
    words.key_file = "k";
    words.log_level = "debug";
    const auto options = serve_options(words);
    EXPECT_EQ(options.settings.site, base::Site::china);
    EXPECT_TRUE(options.settings.strict.countries_by_list);
    EXPECT_EQ(options.settings.disabled_actions, (std::vector<std::string>{"BindSecureMobilePhone", "GetCallerIdentity"}));
    EXPECT_TRUE(options.settings.audit.reads);
    EXPECT_EQ(options.settings.threads, 3u);
    EXPECT_EQ(options.key_file, "k");
    EXPECT_EQ(options.log_level, base::log::Level::debug);
}

}  // namespace
}  // namespace openrd

#include "openrd/settings.hpp"

#include "api/arity.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

namespace openrd {
namespace {

// The settings of one struct: those whose name begins with it and a dot; without a name: those without a dot.
std::size_t named(std::string_view group) {
    const auto settings = all_settings();
    return static_cast<std::size_t>(std::ranges::count_if(settings, [&](const Setting& s) {
        const auto dot = s.name.find('.');
        return group.empty() ? dot == s.name.npos : s.name.substr(0, dot) == group;
    }));
}

std::string shown(std::string_view name, base::Profile profile) {
    for (const auto& setting : all_settings())
        if (setting.name == name) return setting.show(settings_for(profile));
    return "no such setting";
}

TEST(Settings, NameEveryField) {
    constexpr std::size_t groups = 9;  // fields of base::Settings that are structs
    EXPECT_EQ(named("http"), api::members_of<base::HttpLimits>);
    EXPECT_EQ(named("parameters"), api::members_of<base::ParameterLimits>);
    EXPECT_EQ(named("codes"), api::members_of<base::CodeLimits>);
    EXPECT_EQ(named("strict"), api::members_of<base::StrictLimits>);
    EXPECT_EQ(named("brake"), api::members_of<base::BrakeSettings>);
    EXPECT_EQ(named("spend"), api::members_of<base::SpendSettings>);
    EXPECT_EQ(named("quotas"), api::members_of<base::Quotas>);
    EXPECT_EQ(named("rates"), api::members_of<base::Rates>);
    EXPECT_EQ(named("audit"), api::members_of<base::AuditSettings>);
    constexpr std::size_t derived = 1;  // messages
    EXPECT_EQ(named("") + named("server") + groups + derived, api::members_of<base::Settings>);
}

TEST(Settings, HaveDistinctNamesAndASentenceEach) {
    std::set<std::string_view> names;
    for (const auto& setting : all_settings()) {
        EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
        EXPECT_TRUE(setting.sentence.ends_with('.')) << setting.name;
        EXPECT_FALSE(setting.show(base::Settings()).empty()) << setting.name;
    }
}

// Each line shows a field of its own: change one, and only its line changes.
TEST(Settings, ShowTheFieldThatTheyName) {
    const auto lines_changed_by = [](auto change) {
        base::Settings changed;
        change(changed);
        std::vector<std::string> names;
        for (const auto& setting : all_settings())
            if (setting.show(changed) != setting.show(base::Settings())) names.emplace_back(setting.name);
        return names;
    };
    using Names = std::vector<std::string>;
    EXPECT_EQ(lines_changed_by([](base::Settings& s) { s.strict.per_target_hour = 7; }), Names{"strict.per_target_hour"});
    EXPECT_EQ(lines_changed_by([](base::Settings& s) { s.strict.per_phone_day = 7; }), Names{"strict.per_phone_day"});
    EXPECT_EQ(lines_changed_by([](base::Settings& s) { s.strict.wrong_per_directory_day = 7; }), Names{"strict.wrong_per_directory_day"});
    EXPECT_EQ(lines_changed_by([](base::Settings& s) { s.codes.second_lock_ms = 7; }), Names{"codes.second_lock"});
    EXPECT_EQ(lines_changed_by([](base::Settings& s) { s.http.body_time_ms = 7; }), Names{"http.body_time"});
    EXPECT_EQ(lines_changed_by([](base::Settings& s) { s.http.header_bytes = 7; }), Names{"http.header"});
    EXPECT_EQ(lines_changed_by([](base::Settings& s) { s.quotas.folders = 7; }), Names{"quotas.folders"});
    EXPECT_EQ(lines_changed_by([](base::Settings& s) { s.audit.reads = true; }), Names{"audit.reads"});
}

TEST(Settings, WriteMoneyAsPeopleDo) {
    base::Settings s;
    s.spend.prices = {{"65", 40'000}, {"86", 1'500'000}, {"44", 0}};
    for (const auto& setting : all_settings())
        if (setting.name == "spend.prices") { EXPECT_EQ(setting.show(s), "65=0.04 86=1.5 44=0"); }
}

TEST(CodeLimits, HaveCapsThatNoSettingExceeds) {
    base::CodeLimits limits;
    limits.lifetime_ms = base::hour_ms, limits.attempts = 100, limits.final_lock_failures = 1000;
    EXPECT_EQ(limits.capped().lifetime_ms, 10 * base::minute_ms);
    EXPECT_EQ(limits.capped().attempts, 5u);
    EXPECT_EQ(limits.capped().final_lock_failures, 50u);
    limits.lifetime_ms = base::minute_ms, limits.attempts = 3;
    EXPECT_EQ(limits.capped().lifetime_ms, base::minute_ms) << "smaller ones hold";
    EXPECT_EQ(limits.capped().attempts, 3u);
}

// decisions.md D.8
TEST(Profiles, ProtectACodeAlike) {
    for (const auto& setting : all_settings()) {
        if (!setting.name.starts_with("codes.")) continue;
        EXPECT_EQ(setting.show(settings_for(base::Profile::open)), setting.show(settings_for(base::Profile::strict))) << setting.name;
    }
    EXPECT_EQ(shown("codes.lifetime", base::Profile::open), "10m");
    EXPECT_EQ(shown("codes.attempts", base::Profile::open), "5");
    EXPECT_EQ(shown("codes.sends_per_member_and_day", base::Profile::open), "100");
    EXPECT_EQ(shown("codes.first_lock", base::Profile::open), "15m");
    EXPECT_EQ(shown("codes.second_lock", base::Profile::open), "24h");
}

TEST(Profiles, OpenLiftsTheQuotasAndTheRatesAlone) {
    EXPECT_EQ(shown("quotas.members", base::Profile::open), "none");
    EXPECT_EQ(shown("quotas.folders", base::Profile::open), "none");
    EXPECT_EQ(shown("rates.enforced", base::Profile::open), "no");
    EXPECT_EQ(shown("quotas.members", base::Profile::documented), "20");
    EXPECT_EQ(shown("rates.enforced", base::Profile::documented), "yes");
    EXPECT_EQ(shown("rates.enforced", base::Profile::strict), "yes");
}

// verification.md 3
TEST(Profiles, StrictHasTheTighterLimitsAndOnlyStrict) {
    const std::pair<const char*, const char*> numbers[] = {{"strict.resend_interval", "1m"},
                                                           {"strict.sends_per_code", "5"},
                                                           {"strict.per_phone_hour", "5"},
                                                           {"strict.per_phone_day", "10"},
                                                           {"strict.per_target_hour", "5"},
                                                           {"strict.per_target_day", "10"},
                                                           {"strict.per_directory_hour", "20"},
                                                           {"strict.per_directory_day", "100"},
                                                           {"strict.per_caller_hour", "30"},
                                                           {"strict.per_source_hour", "60"},
                                                           {"strict.per_prefix_hour", "10"},
                                                           {"strict.per_prefix_day", "30"},
                                                           {"strict.per_country_hour", "50"},
                                                           {"strict.system_day", "1000"},
                                                           {"strict.wrong_per_phone_day", "10"},
                                                           {"strict.wrong_per_directory_day", "100"},
                                                           {"strict.accounts_per_phone", "1"},
                                                           {"strict.countries_by_list", "yes"},
                                                           {"brake.percent", "20"},
                                                           {"spend.budget_day", "50"}};
    for (const auto& [name, value] : numbers) {
        EXPECT_EQ(shown(name, base::Profile::strict), value) << name;
        EXPECT_EQ(shown(name, base::Profile::documented), std::string_view(value) == "yes" ? "no" : "none") << name;
        EXPECT_EQ(shown(name, base::Profile::open), shown(name, base::Profile::documented)) << name;
    }
    EXPECT_NE(std::ranges::count(settings_for(base::Profile::strict).strict.countries, "65"), 0);
    EXPECT_EQ(std::ranges::count(settings_for(base::Profile::strict).strict.countries, "881"), 0);
}

TEST(Settings, AreDocumentedInAMarkdownTable) {
    const auto text = settings_as_markdown();
    for (const auto& setting : all_settings()) EXPECT_NE(text.find("| `" + std::string(setting.name) + "` |"), std::string::npos) << setting.name;
}

TEST(Settings, AreInTheDocumentationAsTheyAre) {
    std::ifstream file("docs/settings.md", std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    EXPECT_EQ(text.str(), settings_as_markdown()) << "openrd settings --markdown > docs/settings.md";
}

TEST(Settings, KnowTheirWords) {
    EXPECT_EQ(parse_profile("strict"), base::Profile::strict);
    EXPECT_EQ(parse_profile("STRICT"), std::nullopt);
    EXPECT_EQ(parse_site("china"), base::Site::china);
    EXPECT_EQ(parse_site(""), std::nullopt);
}

}  // namespace
}  // namespace openrd

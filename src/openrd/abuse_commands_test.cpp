#include "openrd/abuse_commands.hpp"

#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "phone/mobile_number.hpp"
#include "store/audit_events.hpp"
#include "store/brakes.hpp"
#include "store/directory_limits.hpp"
#include "store/suppressions.hpp"

#include <gtest/gtest.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <filesystem>

namespace openrd {
namespace {

class AbuseCommands : public ::testing::Test {
  protected:
    AbuseCommands() {
        place_.directory = directory_ + "/data";
        open_sandbox_data(place_, false, base::Settings(), base::Clock()).engine->close();
        suppress_.place = limits_.place = place_;
    }
    ~AbuseCommands() override { std::filesystem::remove_all(directory_); }

    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "abuse_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    // The first line that the command prints; empty when it prints nothing.
    template <class Options> boost::json::object run(int (*command)(const Options&), const Options& options) {
        ::testing::internal::CaptureStdout();
        EXPECT_EQ(command(options), 0);
        const auto text = ::testing::internal::GetCapturedStdout();
        EXPECT_EQ(text.find("81234567"), text.npos) << "no number is printed";
        return text.empty() ? boost::json::object() : boost::json::parse(text.substr(0, text.find('\n'))).as_object();
    }
    template <class Options> int refused(int (*command)(const Options&), const Options& options) {
        try {
            command(options);
        } catch (const Failure& failure) { return failure.status(); }
        return 0;
    }
    void in_database(const std::function<void(db::Transaction&, const keys::Ring&)>& work) const {
        const auto data = open_existing_data(place_);
        data.engine->write_and_wait([&](db::Transaction& tx) { work(tx, data.ring); });
        data.engine->close();
    }
    bool is_suppressed(const char* phone) const {
        bool found = false;
        in_database([&](db::Transaction& tx, const keys::Ring& ring) {
            const auto number = phone::MobileNumber::parse(phone);
            found = store::is_suppressed(tx, ring.blind_index(number->reveal_e164()), base::real_now_ms());
        });
        return found;
    }
    std::vector<std::string> log(std::string_view account_id) const {
        std::vector<std::string> names;
        in_database([&](db::Transaction& tx, const keys::Ring&) {
            names.clear();
            for (const auto& event : store::audit_events_after(tx, 0, 1000)) {
                if (event.account_id == account_id) names.push_back(event.event_name);
                EXPECT_EQ(event.body.find("81234567"), event.body.npos) << "no number is in the log";
            }
        });
        return names;
    }
    std::string sandbox_directory() const {
        std::string id;
        in_database([&](db::Transaction& tx, const keys::Ring&) {
            static constexpr db::Sql sql{"SELECT directory_id FROM directories WHERE management_account_id = '1000000000000001'"};
            auto rows = tx.query(sql);
            id = rows.next() ? rows.text(0) : "";
        });
        return id;
    }

    std::string directory_ = make_directory();
    DataPlace place_;
    SuppressOptions suppress_;
    LimitsOptions limits_;
};

TEST_F(AbuseCommands, SuppressAPhoneAndKeepNothingButItsKeyedHash) {
    suppress_.phone = "+6581234567";
    EXPECT_EQ(run(suppress_add, suppress_).at("Phone").as_string(), "65-8123****");
    EXPECT_TRUE(is_suppressed("65-81234567"));
    const auto line = run(suppress_list, suppress_);
    EXPECT_EQ(line.at("Reason").as_string(), "operator");
    EXPECT_EQ(line.at("By").as_string(), operator_name());
    EXPECT_FALSE(line.contains("Until"));
    suppress_.phone = "65-81234567";
    EXPECT_FALSE(run(suppress_remove, suppress_).at("Suppressed").as_bool());
    EXPECT_FALSE(is_suppressed("65-81234567"));
    EXPECT_EQ(refused(suppress_remove, suppress_), refused_status);
    EXPECT_EQ(log(server_log), (std::vector<std::string>{"SuppressPhone", "UnsuppressPhone"}));
}

TEST_F(AbuseCommands, SuppressForSomeDays) {
    suppress_.phone = "65-81234567";
    suppress_.reason = "bounce";
    suppress_.days = 30;
    run(suppress_add, suppress_);
    EXPECT_TRUE(run(suppress_list, suppress_).contains("Until"));
}

TEST_F(AbuseCommands, RefuseWhatIsNoPhoneAndNoReason) {
    suppress_.phone = "81234567";
    EXPECT_EQ(refused(suppress_add, suppress_), unusable_status);
    suppress_.phone = "65-81234567";
    suppress_.reason = "because";
    EXPECT_EQ(refused(suppress_add, suppress_), unusable_status);
    EXPECT_TRUE(log(server_log).empty());
}

TEST_F(AbuseCommands, GiveADirectoryLimitsOfItsOwn) {
    limits_.directory_id = sandbox_directory();
    EXPECT_EQ(run(limits_show, limits_).at("SendsPerHour").as_string(), "as in the settings");
    limits_.sends_per_hour = "5";
    limits_.sends_per_day = "none";
    const auto set = run(limits_set, limits_);
    EXPECT_EQ(set.at("SendsPerHour").as_int64(), 5);
    EXPECT_EQ(set.at("SendsPerDay").as_string(), "none");
    EXPECT_EQ(run(limits_show, limits_), set);
    run(limits_clear, limits_);
    EXPECT_EQ(refused(limits_clear, limits_), refused_status);
    EXPECT_EQ(log("1000000000000001"), (std::vector<std::string>{"SetDirectoryLimits", "ClearDirectoryLimits"}));
}

TEST_F(AbuseCommands, RefuseLimitsThatAreNone) {
    limits_.directory_id = sandbox_directory();
    EXPECT_EQ(refused(limits_set, limits_), unusable_status) << "nothing is said";
    for (const auto* text : {"-1", "x", "1.5", "99999999999"}) {
        limits_.sends_per_day = text;
        EXPECT_EQ(refused(limits_set, limits_), unusable_status) << text;
    }
    limits_.sends_per_day = "5";
    limits_.directory_id = "rd-nowhere";
    EXPECT_EQ(refused(limits_set, limits_), refused_status);
}

TEST_F(AbuseCommands, ReleaseACountryThatIsPaused) {
    limits_.calling_code = "65";
    EXPECT_EQ(refused(limits_release, limits_), refused_status);
    in_database([](db::Transaction& tx, const keys::Ring&) { store::pause_country(tx, "65", base::real_now_ms(), base::real_now_ms() + base::hour_ms); });
    EXPECT_EQ(run(limits_paused, limits_).at("CallingCode").as_string(), "65");
    EXPECT_FALSE(run(limits_release, limits_).at("Paused").as_bool());
    EXPECT_TRUE(run(limits_paused, limits_).empty());
    EXPECT_EQ(log(server_log), std::vector<std::string>{"ReleaseCountry"});
}

}  // namespace
}  // namespace openrd

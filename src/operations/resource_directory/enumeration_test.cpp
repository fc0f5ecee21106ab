// Whether a phone is bound somewhere is nobody's business (verification.md 8, threat 10): the same answers, and the same statements in
// the same order. Statements are compared and not times: a time proves nothing on a busy machine.
#include "keys/ring.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <mutex>

namespace openrd::tests {
namespace {

// Every statement that reads or writes, on every connection that was opened since.
class Statements {
  public:
    Statements() { sqlite3_auto_extension(reinterpret_cast<void (*)()>(&Statements::watch)); }
    Statements(const Statements&) = delete;
    Statements& operator=(const Statements&) = delete;
    ~Statements() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&Statements::watch)); }

    template <class Work> static std::vector<std::string> of(Work&& work) {
        {
            const std::lock_guard lock(mutex_);
            seen_.clear();
        }
        work();
        const std::lock_guard lock(mutex_);
        return seen_;
    }

  private:
    static int watch(sqlite3* connection, char**, const void*) { return sqlite3_trace_v2(connection, SQLITE_TRACE_STMT, &Statements::begin, nullptr); }
    static int begin(unsigned, void*, void*, void* text) {
        const std::string_view sql(static_cast<const char*>(text));
        if (!sql.starts_with("SELECT") && !sql.starts_with("INSERT") && !sql.starts_with("UPDATE") && !sql.starts_with("DELETE")) return 0;
        const std::lock_guard lock(mutex_);
        seen_.emplace_back(sql);
        return 0;
    }
    static inline std::mutex mutex_;
    static inline std::vector<std::string> seen_;
};

// All that the strict profile looks at.
base::Settings strict() {
    auto settings = Sandbox::open_settings();
    auto& s = settings.strict;
    s.sends_per_code = s.per_phone_hour = s.per_phone_day = s.per_target_hour = s.per_target_day = s.per_directory_hour = s.per_directory_day = 50;
    s.per_caller_hour = s.per_source_hour = s.per_prefix_hour = s.per_prefix_day = s.per_country_hour = s.system_day = 50;
    s.wrong_per_phone_day = s.wrong_per_directory_day = 50;
    s.accounts_per_phone = 1;
    settings.brake.percent = 20;
    settings.spend.budget_day_micros = 100'000'000;
    return settings;
}

struct Enumeration : testing::Test {
    Statements statements;
    Sandbox sandbox{strict()};
    std::string asker;

    // good_phone is bound to somebody; second_phone to nobody.
    void SetUp() override {
        if (std::getenv("OPENRD_TEST_ENGINE")) GTEST_SKIP() << "the statements are SQLite's to tell";
        sandbox.clock().freeze(true);
        ASSERT_EQ(sandbox.send_code(blue_id, good_phone).status, 200);
        ASSERT_EQ(sandbox.bind(blue_id, good_phone, sandbox.code_of()).status, 200);
        asker = member("asker");
        // Whatever is read but once, identities and prepared statements, is read now; and both phones are ones that this directory has
        // sent to before, which is all that its log knows of them.
        const auto first = member("first");
        ASSERT_EQ(sandbox.send_code(first, second_phone).status, 200);
        sandbox.bind(first, second_phone, "000000");
    }
    std::string member(const std::string& name) {
        const auto id = sandbox.call("CreateResourceAccount", {{"DisplayName", name}}).text("/Account/AccountId");
        sandbox.call("GetResourceDirectory");  // an account more: whoever calls next reads his identity anew
        return id;
    }
    // Without what differs between any two calls.
    static std::string said(const Answer& answer) {
        auto body = answer.json().as_object();
        EXPECT_TRUE(body.erase("RequestId"));
        return std::to_string(answer.status) + boost::json::serialize(body);
    }
    struct Seen {
        std::string said;
        std::vector<std::string> statements;
        friend bool operator==(const Seen&, const Seen&) = default;
    };
    template <class Call> Seen seen(Call&& call) {
        Seen result;
        result.statements = Statements::of([&] { result.said = said(call()); });
        return result;
    }
};

TEST_F(Enumeration, ASendToAPhoneThatIsBoundElsewhereAnswersAndDoesTheSame) {
    const auto other = member("other");
    const auto bound = seen([&] { return sandbox.send_code(asker, good_phone); });
    const auto unbound = seen([&] { return sandbox.send_code(other, second_phone); });
    EXPECT_EQ(bound.said, unbound.said);
    EXPECT_EQ(bound.statements, unbound.statements);
    EXPECT_GT(bound.statements.size(), 10u) << "they are seen";
}

TEST_F(Enumeration, AWrongCodeForAPhoneThatIsBoundElsewhereAnswersAndDoesTheSame) {
    const auto other = member("other");
    sandbox.send_code(asker, good_phone);
    sandbox.send_code(other, second_phone);
    const auto bound = seen([&] { return sandbox.bind(asker, good_phone, Sandbox::wrong(sandbox.code_of(asker, good_phone))); });
    const auto unbound = seen([&] { return sandbox.bind(other, second_phone, Sandbox::wrong(sandbox.code_of(other, second_phone))); });
    EXPECT_EQ(bound, unbound);
}

TEST_F(Enumeration, TheRightCodeOfAPhoneThatIsBoundElsewhereAnswersAsAWrongOne) {
    sandbox.send_code(asker, good_phone);
    const auto code = sandbox.code_of(asker, good_phone);
    const auto wrong = said(sandbox.bind(asker, good_phone, Sandbox::wrong(code)));
    EXPECT_EQ(said(sandbox.bind(asker, good_phone, code)), wrong);
}

TEST_F(Enumeration, ABindWithoutACodeUnderWayDerivesAndComparesAllTheSame) {
    sandbox.send_code(asker, second_phone);
    const auto count = [&](const std::string& account) {
        const auto before = keys::Ring::codes_derived();
        EXPECT_EQ(sandbox.bind(account, second_phone, "000000").code(), "Invalid.VerificationCode");
        return keys::Ring::codes_derived() - before;
    };
    const auto with = count(asker);
    EXPECT_EQ(with, 1u);
    EXPECT_EQ(count(member("none-sent")), with);
}

}  // namespace
}  // namespace openrd::tests

// `openrd account erase-person` beside a running server.
#include "openrd/erase.hpp"

#include "audit/export.hpp"
#include "audit/verify.hpp"
#include "base/text.hpp"
#include "keys/box.hpp"
#include "openrd/failure.hpp"
#include "store/accounts.hpp"
#include "store/erasure.hpp"
#include "store/members.hpp"
#include "store/rates.hpp"
#include "store/subjects.hpp"
#include "support/sandbox.hpp"

#include <gtest/gtest.h>

#include <set>

namespace openrd::tests {
namespace {

class ErasePerson : public ::testing::Test {
  protected:
    explicit ErasePerson(base::Settings settings = Sandbox::open_settings()) : sandbox_(std::move(settings)) {}

    AccountOptions options(const std::string& account_id) const {
        AccountOptions options;
        options.place = {.directory = sandbox_.directory().string(), .url = sandbox_.database_url()};
        options.account_id = account_id;
        return options;
    }
    boost::json::object erase(const std::string& account_id = blue_id) {
        ::testing::internal::CaptureStdout();
        EXPECT_EQ(erase_person(options(account_id)), 0);
        sandbox_.engine().idle();  // this thread lets go of what it saw before, as a server's does
        return boost::json::parse(::testing::internal::GetCapturedStdout()).as_object();
    }
    void bind(const std::string& account_id = blue_id, const std::string& phone = good_phone) {
        ASSERT_EQ(sandbox_.send_code(account_id, phone).status, 200);
        ASSERT_EQ(sandbox_.bind(account_id, phone, sandbox_.code_of(account_id, phone)).status, 200);
    }
    // The numbers that can be read in the log.
    std::multiset<std::string> readable() {
        std::multiset<std::string> numbers;
        for (const auto& event : sandbox_.events()) {
            if (!event.contains("pii")) continue;
            const auto ref = std::string(event.at("subject_ref").as_string());
            sandbox_.engine().read([&](db::Transaction& tx) {
                const auto subject = store::find_subject_by_ref(tx, management_id, ref);
                if (!subject || !subject->key_sealed) return;
                const auto key = sandbox_.ring().open(keys::Purpose::subject, *subject->key_sealed, ref);
                const auto sealed = base::unbase64(std::string(event.at("pii").as_string()));
                if (!key || !sealed) return;
                const auto datum = keys::open_with(key->reveal(), *sealed, ref);
                if (datum) numbers.emplace(boost::json::parse({datum->reveal().data(), datum->reveal().size()}).at("e164").as_string().c_str());
            });
        }
        return numbers;
    }

    Sandbox sandbox_;
    const std::string green_ = sandbox_.call("CreateResourceAccount", {{"DisplayName", "team-green"}}).text("/Account/AccountId");
};

TEST_F(ErasePerson, RemovesTheBindingTheVerificationTheMessagesAndTheKeysOfTheLog) {
    ASSERT_EQ(sandbox_.send_code(blue_id, second_phone).status, 200);  // a number that was tried and given up
    bind();
    bind(green_, "65-81234569");
    ASSERT_EQ(readable().count("+6581234568"), 1u);
    ASSERT_EQ(readable().count("+6581234567"), 2u);

    const auto answer = erase();
    EXPECT_EQ(answer.at("Phones").as_int64(), 1);
    EXPECT_EQ(answer.at("Verifications").as_int64(), 1);
    EXPECT_EQ(answer.at("Messages").as_int64(), 3) << "two codes, and the notice of the binding";
    EXPECT_EQ(answer.at("Subjects").as_int64(), 2) << "the number that was given up as well";

    EXPECT_EQ(sandbox_.count("members WHERE account_id = '1000000000000002' AND phone_sealed IS NOT NULL"), 0);
    EXPECT_EQ(sandbox_.count("verifications WHERE account_id = '1000000000000002'"), 0);
    EXPECT_EQ(sandbox_.count("outbox WHERE account_id = '1000000000000002'"), 0);
    EXPECT_EQ(sandbox_.count("subjects WHERE destroyed_at_ms IS NOT NULL AND key_sealed IS NULL"), 2);
    const auto left = readable();
    EXPECT_EQ(left.count("+6581234567") + left.count("+6581234568"), 0u);
    EXPECT_EQ(left.count("+6581234569"), 2u) << "another member's stays";
    for (const auto* number : {"+6581234567", "+6581234568"})
        EXPECT_EQ(sandbox_.everything().find(base::hex(sandbox_.ring().blind_index(number))), std::string::npos) << "not even its index";
    EXPECT_EQ(sandbox_.events().back().at("eventName").as_string(), "SubjectErased");
}

TEST_F(ErasePerson, IsSeenByTheServerAtOnceAndTheMemberMayBindAgain) {
    bind();
    erase();
    EXPECT_EQ(sandbox_.call("GetAccount", {{"AccountId", blue_id}}).text("/Account/HasSecureMobilePhone"), "false");
    bind();
    EXPECT_EQ(readable().count("+6581234567"), 2u) << "what comes later is under a new key";
}

TEST_F(ErasePerson, LeavesALogThatVerifiesAndAnExportThatSaysWhatIsUnreadable) {
    bind();
    const auto out = sandbox_.directory() / "export";
    const auto key = sandbox_.directory() / "kept.pub";
    const auto origin = sandbox_.settings().audit.origin;
    const auto before = audit::export_log(sandbox_.engine(), sandbox_.ring(), sandbox_.clock(), {.directory = out, .origin = origin});
    std::filesystem::copy_file(out / "audit.pub", key);
    EXPECT_EQ(before.erased_subjects, 0);
    erase();
    const auto after = audit::export_log(sandbox_.engine(), sandbox_.ring(), sandbox_.clock(), {.directory = out, .origin = origin});
    EXPECT_EQ(after.erased_subjects, 1);
    EXPECT_TRUE(after.warnings.empty());
    const auto report = audit::verify(out, key);
    EXPECT_TRUE(report.ok()) << report.text();
}

TEST_F(ErasePerson, RepeatedIsHarmlessAndRecordsNothingMore) {
    bind();
    erase();
    const auto recorded = sandbox_.events().size();
    const auto answer = erase();
    EXPECT_EQ(answer.at("Phones").as_int64() + answer.at("Verifications").as_int64() + answer.at("Messages").as_int64() + answer.at("Subjects").as_int64(), 0);
    EXPECT_EQ(sandbox_.events().size(), recorded);
}

TEST_F(ErasePerson, OfNoAccountIsRefused) { EXPECT_THROW(erase_person(options("1234567890123456")), Failure); }

class ErasePersonStrictly : public ErasePerson {
  protected:
    ErasePersonStrictly()
        : ErasePerson([] {
              auto settings = Sandbox::open_settings();
              settings.strict.accounts_per_phone = 1;
              return settings;
          }()) {}
};

TEST_F(ErasePersonStrictly, GivesThePhoneBackToOthers) {
    bind();
    ASSERT_EQ(sandbox_.send_code(green_).status, 200);
    ASSERT_EQ(sandbox_.bind(green_, good_phone, sandbox_.code_of(green_)).status, 409);
    erase();
    EXPECT_EQ(sandbox_.bind(green_, good_phone, sandbox_.code_of(green_)).status, 200);
}

}  // namespace
}  // namespace openrd::tests

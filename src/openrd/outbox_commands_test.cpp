#include "openrd/outbox_commands.hpp"

#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "store/audit_events.hpp"
#include "store/outbox_log.hpp"
#include "store/verifications.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace openrd {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view member = "1000000000000002";

class OutboxCommands : public ::testing::Test {
  protected:
    OutboxCommands() {
        options_.place.directory = directory_ + "/data";
        base::Settings settings;
        settings.audit.origin = "test.example/audit";
        open_sandbox_data(options_.place, false, settings, base::Clock()).engine->close();
    }
    ~OutboxCommands() override { std::filesystem::remove_all(directory_); }

    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "outbox_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    void in_database(const std::function<void(db::Transaction&, const keys::Ring&)>& work) const {
        const auto data = open_existing_data(options_.place);
        data.engine->write_and_wait([&](db::Transaction& tx) { work(tx, data.ring); });
        data.engine->close();
    }
    // A message in that state, of a code that lives so long from now on.
    void put(const std::string& id, std::string_view state, std::int64_t lives_ms = 600'000) {
        in_database([&](db::Transaction& tx, const keys::Ring& ring) {
            const auto now_ms = base::real_now_ms();
            store::put_verification(tx, {.account_id = std::string(member),
                                         .directory_id = "rd-sandbx",
                                         .verification_id = std::string(16, 'v'),
                                         .phone_index = "i",
                                         .phone_sealed = "s",
                                         .created_by = "me",
                                         .expires_at_ms = now_ms + lives_ms});
            store::insert_message(tx, {.account_id = std::string(member),
                                       .message_id = id,
                                       .purpose = "bind",
                                       .verification_id = std::string(16, 'v'),
                                       .code_key_id = 1,
                                       .phone_sealed = ring.seal(keys::Purpose::outbox, "65-81234567", id),
                                       .not_before_ms = now_ms,
                                       .expires_at_ms = now_ms + lives_ms,
                                       .created_at_ms = now_ms});
            if (state == store::message_queued) return;
            const auto seen = store::find_message(tx, member, id).value();
            ASSERT_TRUE(
                store::change_message(tx, seen, {.state = std::string(state), .kind = std::string(state), .channel = "kannel", .tries = 1, .provider_code = "throttled"}, now_ms));
        });
    }
    std::string run(int (*command)(const OutboxOptions&)) const {
        ::testing::internal::CaptureStdout();
        EXPECT_EQ(command(options_), 0);
        return ::testing::internal::GetCapturedStdout();
    }
    std::string refused(int (*command)(const OutboxOptions&), int status = 1) const {
        try {
            command(options_);
        } catch (const Failure& failure) {
            EXPECT_EQ(failure.status(), status) << failure.what();
            return failure.what();
        }
        ADD_FAILURE() << "it was done";
        return {};
    }

    std::string directory_ = make_directory();
    OutboxOptions options_;
};

TEST_F(OutboxCommands, ListMessagesWithMaskedNumbers) {
    put("M-1", "failed");
    put("M-2", "accepted");
    EXPECT_THAT(run(list_outbox), AllOf(HasSubstr("\"To\":\"65-8123****\""), HasSubstr("\"Id\":\"1000000000000002-M-1\""), HasSubstr("M-2"), Not(HasSubstr("81234567"))));
    options_.dead = true;
    EXPECT_THAT(run(list_outbox), AllOf(HasSubstr("M-1"), Not(HasSubstr("M-2"))));
    options_.dead = false;
    options_.state = "accepted";
    options_.format = "text";
    EXPECT_THAT(run(list_outbox), AllOf(HasSubstr("accepted"), HasSubstr("65-8123****"), HasSubstr("1000000000000002-M-2"), Not(HasSubstr("M-1"))));
}

TEST_F(OutboxCommands, ShowAMessageWithWhatHappenedToIt) {
    put("M-1", "failed");
    for (const auto* id : {"1000000000000002-M-1", "M-1"}) {
        options_.id = id;
        EXPECT_THAT(run(show_message), AllOf(HasSubstr("\"Kind\":\"failed\""), HasSubstr("\"Code\":\"throttled\""), HasSubstr("\"Channel\":\"kannel\"")));
    }
    options_.format = "text";
    EXPECT_THAT(run(show_message), AllOf(HasSubstr("failed"), HasSubstr("throttled")));
    options_.id = "1000000000000002-M-9";
    refused(show_message);
}

TEST_F(OutboxCommands, RetryADeadLetterWhoseCodeLivesAndSayWhoDidIt) {
    put("M-1", "failed");
    options_.id = "1000000000000002-M-1";
    EXPECT_THAT(run(retry_outbox_message), HasSubstr("\"State\":\"queued\""));
    in_database([](db::Transaction& tx, const keys::Ring&) {
        EXPECT_EQ(store::find_message(tx, member, "M-1").value().state, store::message_queued);
        const auto events = store::list_audit_events(tx, {.account_id = "1000000000000001", .to_ms = INT64_MAX, .filters = {}, .beyond = {}});
        ASSERT_FALSE(events.empty());
        EXPECT_EQ(events.front().event_name, "RetryMessage");
        EXPECT_EQ(events.front().user_name, operator_name());
        EXPECT_EQ(events.front().body.find("8123"), std::string::npos);
    });
    EXPECT_THAT(refused(retry_outbox_message), HasSubstr("no dead letter"));
}

TEST_F(OutboxCommands, DoNotRetryWhatMayHaveArrivedOrNobodyCouldUse) {
    put("M-1", "unknown");
    options_.id = "M-1";
    EXPECT_THAT(refused(retry_outbox_message), HasSubstr("may have arrived"));
    put("M-2", "accepted");
    options_.id = "M-2";
    EXPECT_THAT(refused(retry_outbox_message), HasSubstr("no dead letter"));
    put("M-3", "failed", 59'000);
    options_.id = "M-3";
    EXPECT_THAT(refused(retry_outbox_message), HasSubstr("its code is over"));
    put("M-4", "failed");
    options_.id = "M-4";
    in_database([](db::Transaction& tx, const keys::Ring&) {
        auto verification = store::find_verification(tx, member, store::purpose_bind).value();
        verification.state = store::verification_consumed;
        store::put_verification(tx, verification);
    });
    EXPECT_THAT(refused(retry_outbox_message), HasSubstr("consumed"));
    in_database([](db::Transaction& tx, const keys::Ring&) {
        auto verification = store::find_verification(tx, member, store::purpose_bind).value();
        verification.verification_id = std::string(16, 'n');
        store::put_verification(tx, verification);
    });
    EXPECT_THAT(refused(retry_outbox_message), HasSubstr("newer"));
}

TEST_F(OutboxCommands, RetryANoticeThoughItHasNoCode) {
    in_database([](db::Transaction& tx, const keys::Ring& ring) {
        const auto now_ms = base::real_now_ms();
        store::insert_message(tx, {.account_id = std::string(member),
                                   .message_id = "M-1",
                                   .purpose = "phone-bound",
                                   .verification_id = std::string(16, 'v'),
                                   .code_key_id = 1,
                                   .phone_sealed = ring.seal(keys::Purpose::outbox, "owner@blue.example", "M-1"),
                                   .state = std::string(store::message_rejected),
                                   .expires_at_ms = now_ms + base::day_ms,
                                   .created_at_ms = now_ms});
    });
    options_.id = "M-1";
    EXPECT_THAT(run(retry_outbox_message), HasSubstr("\"State\":\"queued\""));
}

TEST_F(OutboxCommands, RefuseWordsThatMeanNothing) {
    options_.format = "xml";
    refused(list_outbox, 2);
    options_.format = "json";
    options_.state = "lost";
    refused(list_outbox, 2);
    options_.state = "accepted";
    options_.dead = true;
    refused(list_outbox, 2);
    options_ = {.place = options_.place, .limit = 0};
    refused(list_outbox, 2);
}

}  // namespace
}  // namespace openrd

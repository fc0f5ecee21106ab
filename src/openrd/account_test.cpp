#include "openrd/account.hpp"

#include "openrd/failure.hpp"
#include "openrd/operator_record.hpp"
#include "store/access_keys.hpp"
#include "store/accounts.hpp"
#include "store/audit_events.hpp"
#include "store/identities.hpp"
#include "store/members.hpp"
#include "store/policies.hpp"
#include "store/verifications.hpp"

#include <gtest/gtest.h>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <cstdlib>
#include <filesystem>
#include <functional>

namespace openrd {
namespace {

using boost::json::object;

class AccountCommands : public ::testing::Test {
  protected:
    AccountCommands() {
        options_.place.directory = directory_ + "/data";
        base::Settings settings;
        settings.audit.origin = "test.example/audit";
        open_sandbox_data(options_.place, false, settings, base::Clock()).engine->close();
    }
    ~AccountCommands() override { std::filesystem::remove_all(directory_); }

    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "account_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    // What the command prints, line by line.
    std::vector<object> run(int (*command)(const AccountOptions&)) {
        ::testing::internal::CaptureStdout();
        EXPECT_EQ(command(options_), 0);
        const auto text = ::testing::internal::GetCapturedStdout();
        std::vector<object> lines;
        for (std::string_view rest = text; !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            lines.push_back(boost::json::parse({line.data(), line.size()}).as_object());
        }
        return lines;
    }
    void expect_refused(int (*command)(const AccountOptions&), int status = 1) {
        const auto before = log("1000000000000001").size();
        try {
            command(options_);
            ADD_FAILURE() << "it was done";
        } catch (const Failure& failure) { EXPECT_EQ(failure.status(), status) << failure.what(); }
        EXPECT_EQ(log("1000000000000001").size(), before) << "nothing was done, so nothing is recorded";
    }
    void in_database(const std::function<void(db::Transaction&)>& work) const {
        const auto data = open_existing_data(options_.place);
        data.engine->write_and_wait(work);
        data.engine->close();
    }
    std::vector<store::AuditEvent> log(std::string_view account_id) const {
        std::vector<store::AuditEvent> events;
        in_database([&](db::Transaction& tx) { events = store::list_audit_events(tx, {.account_id = std::string(account_id), .to_ms = INT64_MAX, .filters = {}, .beyond = {}}); });
        return events;
    }

    std::string directory_ = make_directory();
    AccountOptions options_;
};

TEST_F(AccountCommands, CreateAVerifiedAccountOutsideOfEveryDirectory) {
    options_.name = "New Corp";
    options_.enterprise_name = "New Corp Ltd";
    const auto id = std::string(run(create_account).at(0).at("AccountId").as_string());
    EXPECT_EQ(id.size(), 16u);
    options_.account_id = id;
    const auto shown = run(show_account).at(0);
    EXPECT_EQ(shown.at("DisplayName").as_string(), "New Corp");
    EXPECT_EQ(shown.at("EnterpriseVerification").as_string(), "verified");
    EXPECT_EQ(shown.at("Standing").as_string(), "none");
    ASSERT_EQ(log(id).size(), 1u);
    EXPECT_EQ(log(id).front().event_name, "CreateAccount");
}

TEST_F(AccountCommands, ListEveryAccount) { EXPECT_EQ(run(list_accounts).size(), 11u); }

TEST_F(AccountCommands, ShowAPhoneAsItsMaskOnly) {
    options_.account_id = "1000000000000003";
    const auto shown = run(show_account).at(0);
    EXPECT_EQ(shown.at("SecureMobilePhone").as_string(), "65-8123****");
    options_.account_id = "1000000000000001";
    EXPECT_EQ(run(show_account).at(0).at("AccessKeys").as_array().size(), 4u);
}

TEST_F(AccountCommands, MakeAKeyWhoseSecretIsSealed) {
    options_.account_id = "1000000000000001";
    options_.user_name = "robot";
    options_.policies = {"AliyunResourceDirectoryReadOnlyAccess"};
    const auto pair = run(create_access_key).at(0);
    const std::string id(pair.at("AccessKeyId").as_string()), secret(pair.at("AccessKeySecret").as_string());
    EXPECT_TRUE(id.starts_with("LTAI"));
    EXPECT_EQ(secret.size(), 30u);
    const auto data = open_existing_data(options_.place);
    data.engine->read([&](db::Transaction& tx) {
        const auto key = store::find_access_key(tx, id);
        ASSERT_TRUE(key);
        EXPECT_EQ(data.ring.open(keys::Purpose::access_key_secret, key->secret_sealed, id)->reveal(), secret);
        const auto user = store::find_user_by_name(tx, options_.account_id, "robot");
        ASSERT_TRUE(user);
        EXPECT_EQ(key->user_id, user->user_id);
        EXPECT_EQ(store::attached_policies(tx, options_.account_id, store::principal_user, user->user_id).size(), 1u);
    });
    data.engine->close();
    const auto event = log("1000000000000001").front();
    EXPECT_EQ(event.event_name, "CreateAccessKey");
    EXPECT_EQ(event.body.find(secret), std::string::npos);
    EXPECT_EQ(run(create_access_key).size(), 1u) << "a second key of the same user";
}

TEST_F(AccountCommands, MakeNoKeyOfADisabledRootAndNoPolicyThatThereIsNot) {
    options_.account_id = "1000000000000002";
    expect_refused(create_access_key);
    options_.user_name = "robot";
    options_.policies = {"NoSuchPolicy"};
    expect_refused(create_access_key, 2);
    options_.user_name = "ro bot";
    options_.policies = {};
    expect_refused(create_access_key, 2);
}

TEST_F(AccountCommands, WithdrawAndVerifyAnEnterprise) {
    options_.account_id = "1000000000000001";
    EXPECT_EQ(run(withdraw_enterprise).at(0).at("EnterpriseVerification").as_string(), "withdrawn");
    expect_refused(withdraw_enterprise);
    EXPECT_EQ(run(verify_enterprise).at(0).at("EnterpriseVerification").as_string(), "verified");
    const auto events = log("1000000000000001");
    ASSERT_EQ(events.size(), 2u);
    EXPECT_EQ(events[0].event_name, "VerifyEnterprise");
    EXPECT_EQ(events[1].event_name, "WithdrawEnterprise");
    options_.account_id = "1000000000000031";
    in_database([](db::Transaction& tx) { store::set_enterprise_state(tx, "1000000000000031", store::enterprise_unverified); });
    expect_refused(verify_enterprise);
}

TEST_F(AccountCommands, UnbindAPhoneInTheLogOfTheManagementAccount) {
    options_.account_id = "1000000000000003";
    EXPECT_FALSE(run(unbind_phone).at(0).at("HasSecureMobilePhone").as_bool());
    EXPECT_EQ(run(show_account).at(0).contains("SecureMobilePhone"), false);
    const auto events = log("1000000000000001");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0].event_name, "UnbindSecureMobilePhone");
    EXPECT_EQ(events[0].user_name, operator_name());
    EXPECT_EQ(events[0].resource_name, "1000000000000003");
    EXPECT_EQ(events[0].body.find("8123"), std::string::npos);
    expect_refused(unbind_phone);
    options_.account_id = "1000000000000009";
    expect_refused(unbind_phone);
}

TEST_F(AccountCommands, UnlockWhatWrongCodesHaveLocked) {
    options_.account_id = "1000000000000002";
    expect_refused(unlock_account);
    in_database([](db::Transaction& tx) {
        store::put_verification(tx, {.account_id = "1000000000000002",
                                     .directory_id = "rd-sandbx",
                                     .verification_id = std::string(16, 'v'),
                                     .phone_index = std::string(32, 'i'),
                                     .phone_sealed = "s",
                                     .created_by = "me",
                                     .failures = 50,
                                     .locked_until_ms = INT64_MAX / 2});
    });
    EXPECT_EQ(run(show_account).at(0).at("ConsecutiveWrongCodes").as_int64(), 50);
    EXPECT_FALSE(run(unlock_account).at(0).at("Locked").as_bool());
    EXPECT_EQ(run(show_account).at(0).at("ConsecutiveWrongCodes").as_int64(), 0);
    EXPECT_EQ(log("1000000000000001").front().event_name, "UnlockVerification");
}

TEST_F(AccountCommands, LockAnAccountUntilItIsUnlocked) {
    options_.account_id = "1000000000000002";
    EXPECT_TRUE(run(lock_account).at(0).at("Locked").as_bool());
    EXPECT_TRUE(run(show_account).at(0).at("LockedUntil").as_string().starts_with("9999-"));
    EXPECT_EQ(log("1000000000000001").front().event_name, "LockVerification");
    expect_refused(lock_account);
    EXPECT_FALSE(run(unlock_account).at(0).at("Locked").as_bool());
    expect_refused(unlock_account);
}

TEST_F(AccountCommands, RefuseAnAccountThatIsNotThere) {
    options_.account_id = "1000000000000099";
    for (const auto command : {show_account, create_access_key, verify_enterprise, withdraw_enterprise, unbind_phone, lock_account, unlock_account}) expect_refused(command);
}

TEST_F(AccountCommands, AreRecordedInTheShapeOfAnEvent) {
    options_.account_id = "1000000000000003";
    run(unbind_phone);
    const auto event = log("1000000000000001").front();
    const auto body = boost::json::parse(event.body).as_object();
    EXPECT_EQ(body.at("eventId").as_string(), event.event_id);
    EXPECT_EQ(body.at("eventName").as_string(), "UnbindSecureMobilePhone");
    EXPECT_EQ(body.at("userIdentity").at("type").as_string(), "system");
    EXPECT_EQ(body.at("userIdentity").at("userName").as_string(), operator_name());
    EXPECT_EQ(body.at("requestParameters").at("AccountId").as_string(), "1000000000000003");
    EXPECT_EQ(body.at("referencedResources").at("ACS::ResourceManager::Account").as_array().at(0).as_string(), "1000000000000003");
    EXPECT_EQ(event.body.find('\n'), std::string::npos);
    EXPECT_TRUE(operator_name().starts_with("operator:"));
}

}  // namespace
}  // namespace openrd

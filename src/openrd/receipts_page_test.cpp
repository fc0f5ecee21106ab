#include "openrd/receipts_page.hpp"

#include "db/open.hpp"
#include "delivery/receipts.hpp"
#include "store/outbox_log.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <future>

namespace openrd {
namespace {

// Tells its receipts in a header.
class HeaderChannel : public delivery::Channel {
  public:
    explicit HeaderChannel(const keys::Ring& ring) : ring_(ring) {}
    std::string_view name() const override { return "gateway"; }
    bool covers(const phone::MobileNumber&) const override { return true; }
    delivery::SendResult send(const delivery::OutgoingMessage&, std::stop_token) override { return {}; }
    std::optional<delivery::Receipt> parse_receipt(const delivery::ReceiptRequest& request) const override {
        auto message = delivery::message_of_receipt(ring_, name(), request.target);
        for (const auto& [header, value] : request.headers)
            if (message && header == "x-status" && value == "delivered") return delivery::Receipt{.message_id = *std::move(message), .fate = delivery::Fate::delivered};
        return {};
    }

  private:
    const keys::Ring& ring_;
};

class TheReceiptsPage : public ::testing::Test {
  protected:
    TheReceiptsPage() : engine_(db::open({.directory = directory_ + "/data", .create = true, .durable = false})) {
        engine_->write_and_wait([](db::Transaction& tx) {
            store::insert_message(tx, {.account_id = "1", .message_id = "m", .purpose = "bind", .verification_id = "v", .phone_sealed = "s"});
            const auto seen = store::find_message(tx, "1", "m").value();
            store::change_message(tx, seen, {.state = std::string(store::message_accepted), .channel = "gateway"}, 5);
        });
    }
    ~TheReceiptsPage() override {
        engine_->close();
        std::filesystem::remove_all(directory_);
    }
    static std::string make_directory() {
        std::string path = ::testing::TempDir() + "receipts_XXXXXX";
        if (!::mkdtemp(path.data())) throw std::runtime_error("no directory for the test");
        return path;
    }
    pipeline::Response ask(const std::string& target) {
        std::promise<pipeline::Response> given;
        const pipeline::Header headers[] = {{.name = "X-Status", .value = "delivered"}};
        page_.handle({.method = "GET", .target = target, .headers = headers}, [&](pipeline::Response response) { given.set_value(std::move(response)); });
        return given.get_future().get();
    }

    std::string directory_ = make_directory();
    std::unique_ptr<db::Engine> engine_;
    keys::Ring ring_{base::Secret(std::string(32, 'k'))};
    base::Clock clock_;
    HeaderChannel channel_{ring_};
    delivery::Router router_{&channel_};
    delivery::ReceiptIntake intake_{*engine_, ring_, clock_, router_};
    ReceiptsPage page_{intake_};
};

TEST_F(TheReceiptsPage, TakesAReceipt) {
    const auto response = ask(delivery::receipt_path(ring_, "gateway", "1-m"));
    EXPECT_EQ(response.status, 200);
    EXPECT_FALSE(response.cors);
    std::string state;
    engine_->read([&](db::Transaction& tx) { state = store::find_message(tx, "1", "m").value().state; });
    engine_->idle();
    EXPECT_EQ(state, store::message_delivered);
}

TEST_F(TheReceiptsPage, TellsNothingToWhoHasNoToken) {
    auto forged = delivery::receipt_path(ring_, "gateway", "1-m");
    forged.back() = forged.back() == '0' ? '1' : '0';
    for (const auto& target : {forged, std::string("/"), std::string(delivery::receipts_prefix) + "nobody/1-m/0"}) {
        const auto response = ask(target);
        EXPECT_EQ(response.status, 404) << target;
        EXPECT_TRUE(response.body.empty());
    }
}

}  // namespace
}  // namespace openrd

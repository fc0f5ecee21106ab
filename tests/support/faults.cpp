// Watches every fault that is thrown while a test binary runs: one that its operation does not list fails the test. With
// OPENRD_EVERY_FAULT=1 (ctest runs the rooms' binary once like that, whole) it fails too when a listed fault was never reached.
#include "api/registry.hpp"
#include "pipeline/run.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <mutex>
#include <set>
#include <string>

namespace openrd::tests {
namespace {

class FaultWatch final : public testing::Environment {
  public:
    void SetUp() override {
        pipeline::on_unlisted_fault = [](const api::AnyOperation& operation, const api::Fault& fault) {
            ADD_FAILURE() << operation.name << " throws " << fault.code() << " and does not list it";
        };
        pipeline::on_fault = [this](const api::AnyOperation& operation, const api::Fault& fault) {
            const std::lock_guard lock(mutex_);
            reached_.insert(std::string(operation.name) + " " + fault.code());
        };
    }
    void TearDown() override {
        pipeline::on_fault = [](const api::AnyOperation&, const api::Fault&) {};
        if (!std::getenv("OPENRD_EVERY_FAULT")) return;
        for (const auto* operation : api::operations())
            for (const auto& fault : operation->faults()) {
                const auto name = std::string(operation->name) + " " + std::string(fault.kind->code);
                EXPECT_TRUE(reached_.contains(name)) << "no test reaches " << name;
            }
    }

  private:
    std::mutex mutex_;
    std::set<std::string> reached_;
};
[[maybe_unused]] const auto* const watch = testing::AddGlobalTestEnvironment(new FaultWatch);

}  // namespace
}  // namespace openrd::tests
